"""Exchange with other tools: readings as DICOM objects and files of theirs, and back.

Each format stands in a module of its own, loaded when it is asked for. What goes out is made of the
reading, its measurement and the table of columns; what comes in becomes marks on an image, and then
a reading like any other.
"""
