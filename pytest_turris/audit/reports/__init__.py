"""The report in each of its forms; all of them are made from one assessment."""
