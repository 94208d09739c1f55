"""Physical constants: CODATA 2022 (:mod:`scipy.constants` has the same) unless another source is named."""

from cevns_tmm.units import GeV, MeV, fm, g, s

alpha_EM = 0.0072973525643
G_F = 1.1663787e-05 / GeV**2
hbar_c = 197.3269804593025 * MeV * fm  # h c / (2 pi e), exact
m_e = 0.51099895069 * MeV
m_mu = 105.6583755 * MeV
m_u = 931.49410372 * MeV
atoms_per_mass = 6.02214076e23 / g
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
