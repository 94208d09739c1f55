# The chain from spectra to limits runs once more, for all variants of config/audit.yaml together: a job
# computes each distinct flux table and rate once. Only counts and limits are kept.


use rule rates as audit_rates with:
    input:
        plan=plan("audit/rates/{experiment}"),
        flux=lambda wildcards: flux(wildcards, "audit/"),
    output:
        counts="results/audit/counts/{experiment}.h5",
    log:
        "logs/audit/rates/{experiment}.log",


rule claims:
    """What the paper says in words, judged on the results."""
    input:
        plan=plan("claims"),
        limits="results/limits.csv",
        rates=each("results/rates/{experiment}.h5"),
        counts=each("results/counts/{experiment}.h5"),
        luminosity=each("results/luminosity/{experiment}.h5"),
    output:
        csv="results/claims.csv",
        md="results/claims.md",
    log:
        "logs/claims.log",
    group:
        "paper"
    script:
        "../../scripts/check_claims.py"


rule audit_tables:
    """Ablation, unstated inputs and budget."""
    input:
        plan=plan("audit/tables"),
        limits="results/audit/limits.csv",
    output:
        ablation="results/audit/ablation.csv",
        inputs="results/audit/inputs.csv",
        budget="results/audit/budget.csv",
    log:
        "logs/audit/tables.log",
    group:
        "paper"
    script:
        "../../scripts/write_audit.py"


rule ablation:
    """Which departure carries which block of Table II."""
    input:
        plan=plan("figures/ablation"),
        limits="results/audit/limits.csv",
    output:
        **drawn("ablation"),
    log:
        "logs/ablation.log",
    group:
        "paper"
    script:
        "../../scripts/plot_ablation.py"


rule budget:
    """Sensitivity of the limits to the inputs."""
    input:
        plan=plan("figures/budget"),
        budget="results/audit/budget.csv",
    output:
        **drawn("budget"),
    log:
        "logs/budget.log",
    group:
        "paper"
    script:
        "../../scripts/plot_budget.py"


rule samples:
    """A few values of every dataset, for the reference."""
    input:
        plan=plan("samples"),
        results=[path for path in rules.all.input if path.endswith(".h5")]
        + [
            "results/contours.csv",
            "results/spectrum_limits.csv",
            "results/audit/budget.csv",
        ],
    output:
        "results/samples.csv",
    log:
        "logs/samples.log",
    group:
        "paper"
    script:
        "../../scripts/sample_results.py"


rule compare:
    """Results against the published limits, the reference results and the claims of the reference."""
    input:
        plan=plan("check"),
        limits="results/limits.csv",
        claims="results/claims.csv",
        tables=[f"results/{name}" for name in TABLES],
    output:
        csv="results/check.csv",
        md="results/check.md",
    log:
        "logs/compare.log",
    group:
        "paper"
    script:
        "../../scripts/compare_results.py"


rule check:
    """Fails if a check did."""
    input:
        plan=plan("verdict"),
        csv="results/check.csv",
        md="results/check.md",
    log:
        "logs/check.log",
    script:
        "../../scripts/check.py"


rule provenance:
    """Code, configuration and packages, as the results say of themselves."""
    input:
        plan=plan("provenance"),
        files=[path for path in rules.all.input if path.endswith(".h5")],
    output:
        "results/provenance.csv",
    log:
        "logs/provenance.log",
    group:
        "paper"
    script:
        "../../scripts/write_provenance.py"


rule report:
    """One page with everything."""
    input:
        plan=plan("report"),
        verdict="results/check.md",
        tables=expand(
            "results/{name}.csv",
            name=[
                *("limits", "table2", "honest_limits", "comparison", "claims", "provenance"),
                *["maps"] * bool(STUDY.maps),
                *("audit/ablation", "audit/inputs", "audit/budget"),
            ],
        ),
        figures=expand(
            "figures/{name}.png",
            name=[
                *(f"fig{n}" for n in range(1, 9)),
                *("profiled", "limits", "coverage", "ablation", "budget"),
                *(f"map-{name}" for name in STUDY.maps),
            ],
        )
        + more_figures(STUDY.combinations, ["png"]),
    output:
        "results/report.html",
    log:
        "logs/report.log",
    group:
        "paper"
    script:
        "../../scripts/write_report.py"
