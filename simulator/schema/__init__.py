"""What every input file is made of: kinds of fields, faults, plain data with lines."""
