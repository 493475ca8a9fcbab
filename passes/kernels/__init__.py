class NotAKernel(Exception): pass
