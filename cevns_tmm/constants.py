"""Physical constants: CODATA through :mod:`scipy.constants`, the rest each with its source."""

from scipy.constants import N_A as _N_A
from scipy.constants import physical_constants as _codata

from cevns_tmm.units import GeV, MeV, fm, g, s


def _value(name):
    return _codata[name][0]


alpha_EM = _value("fine-structure constant")
G_F = _value("Fermi coupling constant") / GeV**2
hbar_c = _value("reduced Planck constant times c in MeV fm") * MeV * fm
m_e = _value("electron mass energy equivalent in MeV") * MeV
m_mu = _value("muon mass energy equivalent in MeV") * MeV
m_u = _value("atomic mass constant energy equivalent in MeV") * MeV
atoms_per_mass = _N_A / g
"""Atoms in a mass, times the atomic mass in u (Avogadro's number per gram)."""

m_pi = 139.57039 * MeV
"""Charged pion mass, PDG 2022, Prog. Theor. Exp. Phys. 2022, 083C01."""

tau_mu = 2.1969811e-6 * s
"""Muon mean life, PDG 2022."""

tau_pi = 2.6033e-8 * s
"""Charged pion mean life, PDG 2022."""

# Neutral-current couplings with radiative corrections: PDG 2018, as printed below Eq. (22).
sin2_theta_W = 0.23120
rho_nuN = 1.0082
kappa_nuN = 0.9972
lambda_uL = -0.0031
lambda_dL = -0.0025
lambda_dR = 3.7e-5
lambda_uR = lambda_dR / 2
