"""The morning's page: one self-contained HTML file, a view of the state."""

from autodc.report.page import write_report

__all__ = ["write_report"]
