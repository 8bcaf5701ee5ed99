"""The templates by which .ci/restore gives a stack another table. Wants sam's Python.

    another_table.py let-go <template> <table> <its ARN> <its stream's ARN>   a template without `Table`: whatever says
                                                                             `Table` there says that other one's instead
    another_table.py take-in <template> <deployed>     what is deployed, as JSON, with the template's `Table` in it, for an
                                                       import
    another_table.py try <template>                    both of a table that does not exist, looked through
"""

import json
import re
import sys

from samcli.yamlhelper import yaml_dump, yaml_parse


def mentions(value):
    """Whatever in a template leads to `Table`."""
    if isinstance(value, dict):
        for function, argument in value.items():
            if function == "Ref" and argument == "Table" or function == "DependsOn" and "Table" in argument:
                yield value
            elif function == "Fn::GetAtt" and (argument[0] if isinstance(argument, list) else argument.split(".")[0]) == "Table":
                yield value
            elif function == "Fn::Sub" and re.search(r"\$\{Table[.}]", str(argument)):
                yield value
            else:
                yield from mentions(argument)
    elif isinstance(value, list):
        for inner in value:
            yield from mentions(inner)


def let_go(template, table, arn, stream):
    """The template without `Table`."""
    attributes = {"Arn": arn, "StreamArn": stream}

    def other(value):
        if isinstance(value, list):
            return [other(inner) for inner in value]
        if isinstance(value, str):
            value = value.replace("${Table}", table)
            return re.sub(r"\$\{Table\.(\w+)\}", lambda found: attributes[found[1]], value)
        if not isinstance(value, dict):
            return value
        if value == {"Ref": "Table"}:
            return table
        if list(value) == ["Fn::GetAtt"]:
            logical, _, attribute = ".".join(value["Fn::GetAtt"]).partition(".") if isinstance(
                value["Fn::GetAtt"], list) else value["Fn::GetAtt"].partition(".")
            return attributes[attribute] if logical == "Table" else value
        return {key: other(inner) for key, inner in value.items()}

    without = {**template, "Resources": {name: of for name, of in template["Resources"].items() if name != "Table"}}
    return other(without)


def take_in(template, deployed):
    """What is deployed, and `Table`."""
    return {**deployed, "Resources": {**deployed["Resources"], "Table": template["Resources"]["Table"]}}


def main(command, path, *rest):
    with open(path, encoding="utf-8") as file:
        template = yaml_parse(file.read())
    if command == "let-go":
        sys.stdout.write(yaml_dump(let_go(template, *rest)))
    elif command == "take-in":
        with open(rest[0], encoding="utf-8") as file:
            json.dump(take_in(template, json.load(file)), sys.stdout)
    elif command == "try":
        arn = "arn:aws:dynamodb:us-east-1:123456789012:table/other"
        without = let_go(template, "other", arn, f"{arn}/stream/2027-01-15T12:00:00.000")
        assert not list(mentions(without)), list(mentions(without))
        assert list(mentions(template)), "the template has no `Table`"
        assert take_in(template, without)["Resources"].keys() == template["Resources"].keys()
        sys.stdout.write(yaml_dump(without))
    else:
        sys.exit(__doc__)


main(*(sys.argv[1:] if len(sys.argv) > 2 else ["help", "/dev/null"]))
