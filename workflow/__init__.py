"""The workflow: rules, schemas and the study they compute."""
