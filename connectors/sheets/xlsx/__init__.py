"""An Excel workbook changed inside its own XML: every part that has nothing to change stays as it is, byte for byte."""
