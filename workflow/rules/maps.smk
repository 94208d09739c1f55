# Expected limits against threshold and exposure, for the blocks of `maps`: `snakemake --cores 8 -- maps`.


rule sensitivity_map:
    """Expected limits of one map."""
    input:
        plan=plan("maps/{map}"),
    output:
        "results/maps/{map}.h5",
    log:
        "logs/maps/{map}.log",
    group:
        "experiment"
    script:
        "../../scripts/compute_map.py"


rule map_figure:
    """Contours of one map, with the experiments there are."""
    input:
        plan=plan("figures/map-{map}"),
        map="results/maps/{map}.h5",
    output:
        **drawn("map-{map}"),
    log:
        "logs/map-{map}.log",
    group:
        "paper"
    script:
        "../../scripts/plot_map.py"


rule tabulate_maps:
    """A few points of all maps."""
    input:
        plan=plan("maps"),
        maps=expand("results/maps/{map}.h5", map=STUDY.maps),
    output:
        "results/maps.csv",
    log:
        "logs/maps.log",
    group:
        "paper"
    script:
        "../../scripts/write_maps.py"


rule maps:
    """Maps, their table and figures."""
    input:
        rules.tabulate_maps.output,
        expand("figures/map-{map}.{kind}", map=STUDY.maps, kind=["pdf", "png"]),
