"""What surrounds the scripts: plans of jobs, the run, comparison with published values, generated pages."""
