"""stub"""
def write_json_schema(message, options, *, version):
    raise NotImplementedError
