# The same stages as the paper's, once for all variants of config/audit.yaml together: a job computes
# each distinct flux table and rate once.


use rule flux_table as audit_flux with:
    output:
        "results/audit/fluxes/{source}.h5",
    log:
        "logs/audit/fluxes/{source}.log",
    params:
        spectra=lambda wc: STUDY.audit.flux_blocks(wc.source),
        cells=STUDY.config["grids"]["flux_cells"],


use rule rates as audit_rates with:
    input:
        flux=lambda wc: f"results/audit/fluxes/{STUDY.source_of(wc.experiment)}.h5",
        code=code("compute_rates"),
    output:
        temp("results/audit/rates/{experiment}.h5"),
    log:
        "logs/audit/rates/{experiment}.log",
    params:
        setups=lambda wc: STUDY.audit.rate_blocks(wc.experiment),
        nodes=STUDY.config["grids"]["recoil_nodes"],


use rule counts as audit_counts with:
    input:
        rates="results/audit/rates/{experiment}.h5",
        code=code("compute_counts"),
    output:
        "results/audit/counts/{experiment}.h5",
    log:
        "logs/audit/counts/{experiment}.log",
    params:
        setups=lambda wc: STUDY.audit.rate_blocks(wc.experiment),


use rule profiles as audit_profiles with:
    input:
        counts="results/audit/counts/{experiment}.h5",
        code=code("compute_profiles"),
    output:
        "results/audit/profiles/{experiment}.h5",
    log:
        "logs/audit/profiles/{experiment}.log",
    params:
        statistics=lambda wc: STUDY.audit.statistics_blocks(wc.experiment),
        beams=lambda wc: STUDY.beams(wc.experiment),
        range_muB=lambda wc: STUDY.ranges(wc.experiment)["profile"],
        points=2,


use rule solar as audit_solar with:
    output:
        "results/audit/solar/{name}.h5",
    log:
        "logs/audit/solar/{name}.log",
    params:
        solar=lambda wc: STUDY.audit.solar_blocks(wc.name),
        points=2,


use rule limits_table as audit_limits with:
    input:
        profiles=expand("results/audit/profiles/{experiment}.h5", experiment=STUDY.experiments),
        solar=expand("results/audit/solar/{name}.h5", name=STUDY.solar),
        code=code("write_limits"),
    output:
        "results/audit/limits.csv",
    log:
        "logs/audit/limits.log",
    params:
        experiments={e: [STUDY.setups(e), list(STUDY.beams(e))] for e in STUDY.experiments},
        solar=STUDY.solar,
        readings=lambda wc: STUDY.audit.readings,


rule comparison:
    input:
        limits="results/limits.csv",
        published="resources/published_table2.csv",
        code=code("write_comparison"),
    output:
        csv="results/comparison.csv",
        md="results/comparison.md",
    log:
        "logs/comparison.log",
    threads: 1
    script:
        "../../scripts/write_comparison.py"


rule claims:
    input:
        limits="results/limits.csv",
        rates=expand("results/rates/{experiment}.h5", experiment=STUDY.experiments),
        counts=expand("results/counts/{experiment}.h5", experiment=STUDY.experiments),
        luminosity=expand("results/luminosity/{experiment}.h5", experiment=STUDY.experiments),
        published="resources/published_table2.csv",
        code=code("check_claims"),
    output:
        csv="results/claims.csv",
        md="results/claims.md",
    log:
        "logs/claims.log",
    threads: 1
    params:
        claims=STUDY.config["claims"],
        readings=["literal", STUDY.config["figures_reading"]],
        kinds={e: STUDY.source_kind(e) for e in STUDY.experiments},
        beams={e: STUDY.beams(e) for e in STUDY.experiments},
        oscillation=STUDY.oscillation(),
        solar={name: STUDY.solar_blocks(name) for name in STUDY.solar},
    script:
        "../../scripts/check_claims.py"


rule audit:
    input:
        limits="results/audit/limits.csv",
        published="resources/published_table2.csv",
        code=code("write_audit"),
    output:
        ablation_csv="results/audit/ablation.csv",
        ablation_md="results/audit/ablation.md",
        inputs_csv="results/audit/inputs.csv",
        inputs_md="results/audit/inputs.md",
        budget_csv="results/audit/budget.csv",
    log:
        "logs/audit/audit.log",
    threads: 1
    params:
        shown=STUDY.config["figures_reading"],
        literal="literal",
        departures=STUDY.config["readings"][STUDY.config["figures_reading"]],
        inputs={name: b["title"] for name, b in STUDY.config["audit"]["inputs"].items()},
        budget={name: b["title"] for name, b in STUDY.config["audit"]["budget"].items()},
    script:
        "../../scripts/write_audit.py"


rule plot_ablation:
    input:
        limits="results/audit/limits.csv",
        published="resources/published_table2.csv",
        style=MPLSTYLE,
        code=code("plot_ablation"),
    output:
        pdf="figures/ablation.pdf",
        png=report(
            "figures/ablation.png",
            caption="../report/ablation.rst",
            category="Audit",
            labels={"figure": "Departures, switched off one at a time"},
        ),
    log:
        "logs/plot_ablation.log",
    threads: 1
    params:
        shown=STUDY.config["figures_reading"],
        literal="literal",
        departures=STUDY.config["readings"][STUDY.config["figures_reading"]],
    script:
        "../../scripts/plot_ablation.py"


rule plot_budget:
    input:
        budget="results/audit/budget.csv",
        style=MPLSTYLE,
        code=code("plot_budget"),
    output:
        pdf="figures/budget.pdf",
        png=report(
            "figures/budget.png",
            caption="../report/budget.rst",
            category="Audit",
            labels={"figure": "Sensitivity to the inputs"},
        ),
    log:
        "logs/plot_budget.log",
    threads: 1
    params:
        experiments=STUDY.style(),
        budget={name: b["title"] for name, b in STUDY.config["audit"]["budget"].items()},
    script:
        "../../scripts/plot_budget.py"


rule checks:
    input:
        comparison="results/comparison.csv",
        published="resources/published_table2.csv",
        limits="results/limits.csv",
        counts="results/counts.csv",
        claims="results/claims.csv",
        ablation="results/audit/ablation.csv",
        inputs="results/audit/inputs.csv",
        reference_limits="resources/reference/limits.csv",
        reference_counts="resources/reference/counts.csv",
        reference_claims="resources/reference/claims.csv",
        reference_ablation="resources/reference/ablation.csv",
        reference_inputs="resources/reference/inputs.csv",
        code=code("write_check"),
    output:
        csv="results/check.csv",
        md="results/check.md",
    log:
        "logs/checks.log",
    threads: 1
    params:
        misses=STUDY.config["audit"]["misses"],
        reading=STUDY.config["figures_reading"],
        experiments=[*STUDY.experiments, *STUDY.solar],
    script:
        "../../scripts/write_check.py"


rule check:
    input:
        csv="results/check.csv",
        md="results/check.md",
        code=code("check"),
    log:
        "logs/check.log",
    threads: 1
    script:
        "../../scripts/check.py"


rule provenance:
    input:
        files=[*SCHEMAS, *sorted(str(path) for path in Path("resources").rglob("*.csv"))],
        code=code("write_provenance"),
    output:
        "results/provenance.csv",
    log:
        "logs/provenance.log",
    threads: 1
    script:
        "../../scripts/write_provenance.py"


rule html_table:
    input:
        csv=lambda wc: {
            "table2": "results/table2.csv",
            "comparison": "results/comparison.csv",
            "claims": "results/claims.csv",
            "check": "results/check.csv",
            "provenance": "results/provenance.csv",
        }.get(wc.table, f"results/audit/{wc.table}.csv"),
        code=code("write_html"),
    output:
        report(
            "results/report/{table}.html",
            caption="../report/table.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
    log:
        "logs/html_{table}.log",
    threads: 1
    script:
        "../../scripts/write_html.py"


REPORTED = ["table2", "comparison", "claims", "ablation", "inputs", "budget", "check", "provenance"]
