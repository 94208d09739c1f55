# Coverage of the limits by toys, and limits with the spectrum: `snakemake --cores 8 -- coverage`. Each block of toys is
# a job with seeds of its own, so the results do not depend on where and in which order blocks are computed.


rule toys:
    """A block of toys of one experiment, for all its setups, readings and truths."""
    input:
        plan=plan("toys/{experiment}/{block}"),
        counts="results/counts/{experiment}.h5",
    output:
        "results/toys/{experiment}/{block}.h5",
    log:
        "logs/toys/{experiment}/{block}.log",
    group:
        "toys"
    script:
        "../../scripts/compute_toys.py"


rule tabulate_coverage:
    """Coverage against the true events, and the limits to expect."""
    input:
        plan=plan("coverage"),
        counts=each("results/counts/{experiment}.h5", STUDY.counting),
        toys=expand("results/toys/{experiment}/{block}.h5", experiment=STUDY.counting, block=BLOCKS),
    output:
        coverage="results/coverage.csv",
        expected="results/expected_limits.csv",
    log:
        "logs/coverage.log",
    group:
        "paper"
    script:
        "../../scripts/write_coverage.py"


rule spectrum_limits:
    """Limits from the recoil spectrum in bins."""
    input:
        plan=plan("spectrum_limits"),
        rates=each("results/rates/{experiment}.h5", STUDY.counting),
    output:
        "results/spectrum_limits.csv",
    log:
        "logs/spectrum_limits.log",
    group:
        "paper"
    script:
        "../../scripts/write_spectrum_limits.py"


rule spectrum_coverage:
    """Coverage of the limits from the recoil spectrum, for a projection at each kind of source."""
    input:
        plan=plan("spectrum_coverage"),
        rates=each("results/rates/{experiment}.h5"),
    output:
        "results/spectrum_coverage.csv",
    log:
        "logs/spectrum_coverage.log",
    group:
        "paper"
    script:
        "../../scripts/write_spectrum_coverage.py"


rule honest_limits:
    """For each block of Table II: its coverage, the limit that covers, and the profiled one; combinations."""
    input:
        plan=plan("honest_limits"),
        counts=each("results/counts/{experiment}.h5", STUDY.counting),
        limits="results/limits.csv",
    output:
        csv="results/honest_limits.csv",
        md="results/honest_limits.md",
    log:
        "logs/honest_limits.log",
    group:
        "paper"
    script:
        "../../scripts/write_honest_limits.py"


rule plot_profiled:
    """Profiled planes beside the paper's."""
    input:
        plan=plan("figures/profiled"),
        contours="results/contours.csv",
    output:
        **drawn("profiled"),
    log:
        "logs/plot_profiled.log",
    group:
        "paper"
    script:
        "../../scripts/plot_profiled.py"


rule plot_limits:
    """All limits at a glance."""
    input:
        plan=plan("figures/limits"),
        limits="results/limits.csv",
    output:
        **drawn("limits"),
    log:
        "logs/plot_limits.log",
    group:
        "paper"
    script:
        "../../scripts/plot_limits.py"


rule plot_coverage:
    """Coverage against the true events."""
    input:
        plan=plan("figures/coverage"),
        coverage="results/coverage.csv",
    output:
        **drawn("coverage"),
    log:
        "logs/plot_coverage.log",
    group:
        "paper"
    script:
        "../../scripts/plot_coverage.py"


rule coverage:
    """What the limits are worth: coverage, expected limits, limits with the spectrum."""
    input:
        rules.tabulate_coverage.output,
        rules.spectrum_limits.output,
        rules.spectrum_coverage.output,
        rules.honest_limits.output,
        rules.plot_profiled.output,
        rules.plot_limits.output,
        rules.plot_coverage.output,
        more_figures(STUDY.combinations),
