"""What runs inside the sandbox: the keeper of a slot and the two ways to grade Python. Standard library only.

These modules are imported by the interpreter that programs run on, from a read-only mount, so they import nothing of
codemill and stay within Python 3.9.
"""
