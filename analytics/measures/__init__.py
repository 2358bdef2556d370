"""Measures: each declared once, asked by question, exact to the yen; serves interface, workbook and open data alike."""
