"""What people see of a run: pictures, tables and pages."""
