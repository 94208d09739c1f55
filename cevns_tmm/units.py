"""Units as multiplicative constants: ``5 * keV`` is an energy, ``energy / keV`` a plain number.

The four base units may take any value; no result depends on them (tested).
"""

MeV = 1.0
cm = 1.0
s = 1.0
kg = 1.0

eV = 1e-6 * MeV
keV = 1e-3 * MeV
GeV = 1e3 * MeV

fm = 1e-13 * cm
m = 1e2 * cm

J = eV / 1.602176634e-19  # exact, SI 2019
MW = 1e6 * J / s

us = 1e-6 * s
day = 86400 * s

g = 1e-3 * kg
