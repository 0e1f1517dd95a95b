"""Files that are no SDMX messages: plain CSV and XLSX, read as tables of cells."""
