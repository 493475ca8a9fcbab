"""Public functions of the libraries: declared by one decorator, with eager calls that are derived from their traces."""
