# The chain from spectra to limits runs once more, for all variants of config/audit.yaml together: a job
# computes each distinct flux table and rate once. Only counts and limits are kept.


use rule rates as audit_rates with:
    input:
        plan=plan("audit/rates/{experiment}"),
        flux=audit_flux,
    output:
        counts="results/audit/counts/{experiment}.h5",
    log:
        "logs/audit/rates/{experiment}.log",


rule judge_claims:
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


rule tabulate_audit:
    """Ablation, unstated inputs and budget."""
    input:
        plan=plan("audit/tables"),
        limits="results/audit/limits.csv",
    output:
        ablation_csv="results/audit/ablation.csv",
        ablation_md="results/audit/ablation.md",
        inputs_csv="results/audit/inputs.csv",
        inputs_md="results/audit/inputs.md",
        budget_csv="results/audit/budget.csv",
    log:
        "logs/audit/tables.log",
    group:
        "paper"
    script:
        "../../scripts/write_audit.py"


rule plot_ablation:
    """Which departure carries which block of Table II."""
    input:
        plan=plan("figures/ablation"),
        limits="results/audit/limits.csv",
    output:
        **drawn("ablation", "Audit", figure="Departures, switched off one at a time"),
    log:
        "logs/plot_ablation.log",
    group:
        "paper"
    script:
        "../../scripts/plot_ablation.py"


rule plot_budget:
    """Sensitivity of the limits to the inputs."""
    input:
        plan=plan("figures/budget"),
        budget="results/audit/budget.csv",
    output:
        **drawn("budget", "Audit", figure="Sensitivity to the inputs"),
    log:
        "logs/plot_budget.log",
    group:
        "paper"
    script:
        "../../scripts/plot_budget.py"


rule tabulate_checks:
    """Every reading against Table II, and all checks: published values, reference results, claims."""
    input:
        plan=plan("check"),
        limits="results/limits.csv",
        counts="results/counts.csv",
        claims="results/claims.csv",
        ablation="results/audit/ablation.csv",
        inputs="results/audit/inputs.csv",
    output:
        csv="results/check.csv",
        md="results/check.md",
        comparison_csv="results/comparison.csv",
        comparison_md="results/comparison.md",
    log:
        "logs/check.log",
    group:
        "paper"
    script:
        "../../scripts/write_check.py"


rule check:
    """Fails if a check did."""
    input:
        plan=plan("verdict"),
        csv="results/check.csv",
        md="results/check.md",
    log:
        "logs/verdict.log",
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


rule html_table:
    """A table of the report as a page of its own."""
    input:
        plan=plan("report/{table}"),
        csv=reported,
    output:
        report(
            "results/report/{table}.html",
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
    log:
        "logs/html_{table}.log",
    group:
        "paper"
    script:
        "../../scripts/write_html.py"
