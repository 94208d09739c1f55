import ast
import os

# Jobs import the package of this checkout, draw without a screen and compute in one thread.
os.environ.update(
    PYTHONPATH=os.pathsep.join([str(ROOT), *filter(None, [os.getenv("PYTHONPATH")])]),
    MPLBACKEND="Agg",
    OMP_NUM_THREADS="1",
    OPENBLAS_NUM_THREADS="1",
)


# Satisfies the linter. Jobs run in the environment that snakemake runs in.
container: "docker://python:3.11-slim"


STUDY = checked(lambda: load_study(config))


wildcard_constraints:
    experiment="|".join(STUDY.experiments),
    source="|".join(STUDY.sources),
    name="|".join(STUDY.solar),


def modules(file):
    """Modules of this checkout that a Python file imports, directly or not."""
    found = {}

    def visit(path):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.ImportFrom):
                names = [node.module] + [f"{node.module}.{a.name}" for a in node.names]
            elif isinstance(node, ast.Import):
                names = [a.name for a in node.names]
            for name in names:
                candidate = f"{name.replace('.', '/')}.py"
                if (ROOT / candidate).is_file() and candidate not in found:
                    found[candidate] = True
                    visit(ROOT / candidate)

    visit(ROOT / file)
    return sorted(found)


def code(script):
    """What a rule's script imports: Snakemake itself watches only the script."""
    return modules(f"scripts/{script}.py")


def grid_memory(wildcards, attempt):
    """Memory in MB for planes of two moments; measured: 960 with 2000 points. A job that is tried again gets more."""
    return attempt * (600 + round(240e-6 * STUDY.config["grids"]["plane_points"] ** 2))


def spectra_files(wildcards):
    """Tabulated spectra that a flux table is made from."""
    if STUDY.config["sources"][wildcards.source]["kind"] != "reactor":
        return {}
    return {part: f"resources/reactor_spectra_{part}_2MeV.csv" for part in ("below", "above")}


def figure(number):
    png = report(
        f"figures/fig{number}.png",
        caption=f"../report/fig{number}.rst",
        category="Figures of the paper",
        labels={"figure": f"Fig. {number}"},
    )
    return dict(pdf=f"figures/fig{number}.pdf", png=png)


def of_kind(pattern, kind):
    """Files of the experiments at one kind of source."""
    experiments = [e for e in STUDY.experiments if STUDY.source_kind(e) == kind]
    return expand(pattern, experiment=experiments)
