"""The machine: builds tables from tables, resumes, survives, and keeps the books. See docs/machine.md."""
