NAMES = []
def all_checks(checks, options): pass
