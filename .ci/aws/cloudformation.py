"""A stand-in for CloudFormation, as far as sam and our scripts use it. Tables, buckets and secrets are made where
AWS_ENDPOINT_URL leads; of all else there are only names and properties. It refuses what AWS documents to be refused."""

import datetime
import http.server
import json
import logging
import os
import re
import signal
import threading
import urllib.parse
import uuid
from xml.sax.saxutils import escape

import boto3
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

logging.disable(logging.WARNING)  # the translator's, which are of no use here
dynamodb, s3, secrets = (boto3.client(service) for service in ("dynamodb", "s3", "secretsmanager"))
stacks = {}  # by name and by id
fail_at = set()  # logical ids that cannot be made
# The action and the beginning of its change set's name of a call whose answer nobody lives to see, and whose group of
# processes that is.
dies_after, group = None, None


class Refused(Exception):
    """A ValidationError."""


def now():
    return datetime.datetime.now(datetime.UTC).isoformat()


class Stack:
    """`resources` are {type, id, policy, properties, gone}; functions and versions also have what they `run` with."""

    def __init__(self, name, tags=()):
        self.name, self.tags, self.created = name, list(tags), now()
        self.id = f"arn:aws:cloudformation:us-east-1:123456789012:stack/{name}/{uuid.uuid4()}"
        self.processed, self.parameters, self.resources, self.outputs, self.events, self.changes = {}, {}, {}, {}, [], {}
        stacks[name] = stacks[self.id] = self
        self.become("REVIEW_IN_PROGRESS")

    def become(self, status):
        self.status = status
        self.events.insert(0, {
            "StackId": self.id, "StackName": self.name, "EventId": str(uuid.uuid4()), "LogicalResourceId": self.name,
            "PhysicalResourceId": self.id, "ResourceType": "AWS::CloudFormation::Stack", "ResourceStatus": status,
            "Timestamp": now()})

    def value(self, of):
        """What an expression comes to."""
        if isinstance(of, list):
            return [self.value(inner) for inner in of]
        if not isinstance(of, dict):
            return of
        function, argument = next(iter(of.items())) if len(of) == 1 else (None, None)
        if function == "Ref":
            return self.named(argument)
        if function == "Fn::GetAtt":
            return self.named(argument if isinstance(argument, str) else ".".join(argument))
        if function == "Fn::Sub":
            text, own = argument if isinstance(argument, list) else (argument, {})
            return re.sub(r"\$\{([^}]+)\}", lambda name: self.value(own[name[1]]) if name[1] in own else self.named(name[1]), text)
        if function == "Fn::If":
            return self.value(argument[1 if self.value(self.processed["Conditions"][argument[0]]) else 2])
        if function in ("Fn::Equals", "Fn::Not", "Fn::Select", "Fn::Split", "Fn::Join"):
            a, *b = self.value(argument)
            return {"Fn::Equals": lambda: a == b[0], "Fn::Not": lambda: not a, "Fn::Select": lambda: b[0][a],
                    "Fn::Split": lambda: b[0].split(a), "Fn::Join": lambda: a.join(b[0])}[function]()
        return {name: self.value(inner) for name, inner in of.items()}

    def named(self, name):
        """A parameter, a pseudo parameter, a resource or an attribute of one."""
        if name.startswith("AWS::"):
            return {"Region": "us-east-1", "AccountId": "123456789012", "Partition": "aws", "URLSuffix": "amazonaws.com",
                    "NoValue": None, "StackName": self.name, "StackId": self.id}[name[5:]]
        if name in self.parameters:
            return self.parameters[name]
        logical, _, attribute = name.partition(".")
        if logical not in self.resources or self.resources[logical]["gone"]:
            raise Refused(f"Unresolved resource dependencies [{name}]")
        of = self.resources[logical]
        if not attribute:
            return of["id"]
        if of["type"] != "AWS::DynamoDB::Table":
            return f"{of['id']}.{attribute}"
        table = dynamodb.describe_table(TableName=of["id"])["Table"]
        return table[{"Arn": "TableArn", "StreamArn": "LatestStreamArn"}[attribute]]

    def make(self, logical, of):
        """Makes what is real, and names what is not."""
        if logical in fail_at:
            raise Refused(f"{logical} cannot be made")
        name, properties = f"{self.name}-{logical}-{uuid.uuid4().hex[:12]}", of.get("Properties", {})
        if of["Type"] == "AWS::DynamoDB::Table":
            has = self.value(properties)
            dynamodb.create_table(
                TableName=name, DeletionProtectionEnabled=has["DeletionProtectionEnabled"] == "true",
                StreamSpecification={"StreamEnabled": True, **has["StreamSpecification"]},
                **{key: has[key] for key in ("AttributeDefinitions", "KeySchema", "BillingMode")})
            for setting, call in ("TimeToLive", dynamodb.update_time_to_live), ("PointInTimeRecovery", dynamodb.update_continuous_backups):
                call(TableName=name, **{f"{setting}Specification": has[f"{setting}Specification"]})
        elif of["Type"] == "AWS::S3::Bucket":
            name = self.value(properties.get("BucketName", name.lower()))
            s3.create_bucket(Bucket=name)
            s3.put_bucket_versioning(Bucket=name, VersioningConfiguration=properties["VersioningConfiguration"])
        elif of["Type"] == "AWS::SecretsManager::Secret":
            how = properties["GenerateSecretString"]
            text = {**json.loads(how["SecretStringTemplate"]), how["GenerateStringKey"]: uuid.uuid4().hex * 2}
            name = secrets.create_secret(Name=name, SecretString=json.dumps(text))["ARN"]
        self.resources[logical] = {"type": of["Type"], "id": name, "policy": of.get("DeletionPolicy"), "properties": None, "gone": False}

    def unmake(self, logical, retained=("Retain", "RetainExceptOnCreate")):
        of = self.resources[logical]
        of["gone"] = True
        if of["policy"] not in retained:
            {"AWS::DynamoDB::Table": lambda: dynamodb.delete_table(TableName=of["id"]),
             "AWS::S3::Bucket": lambda: s3.delete_bucket(Bucket=of["id"]),
             "AWS::SecretsManager::Secret": lambda: secrets.delete_secret(SecretId=of["id"], ForceDeleteWithoutRecovery=True),
             }.get(of["type"], lambda: None)()

    def there(self):
        return [logical for logical, of in self.resources.items() if not of["gone"]]

    def settle(self):
        """Brings all to what the template now says."""
        wanted = self.processed["Resources"]
        for logical in wanted.keys() - self.there():
            self.make(logical, wanted[logical])
        # Versions are of functions as they have become.
        for logical in sorted(wanted, key=lambda logical: wanted[logical]["Type"] == "AWS::Lambda::Version"):
            of, properties = self.resources[logical], self.value(wanted[logical].get("Properties", {}))
            was, of["properties"], of["policy"] = of["properties"], properties, wanted[logical].get("DeletionPolicy")
            if was == properties:
                continue
            if of["type"] == "AWS::DynamoDB::Table" and was:
                dynamodb.update_table(TableName=of["id"], DeletionProtectionEnabled=properties["DeletionProtectionEnabled"] == "true")
            elif of["type"] == "AWS::Lambda::Function":
                # A secret is read when its function changes, and at no other time.
                of["runs"] = re.sub(r"\{\{resolve:secretsmanager:(.+?):SecretString:(\w+)\}\}", lambda found: json.loads(
                    secrets.get_secret_value(SecretId=found[1])["SecretString"])[found[2]], json.dumps(properties))
            elif of["type"] == "AWS::Lambda::Version":
                function = next(has for has in self.resources.values() if has["id"] == properties["FunctionName"])
                if function.get("published") == function["runs"]:
                    raise Refused(f"{logical}: A version for this Lambda function exists. Modify the function to create a new version")
                of["runs"] = function["published"] = function["runs"]
        for logical in self.there():
            if logical not in wanted:
                self.unmake(logical)
        self.outputs = {name: self.value(of["Value"]) for name, of in self.processed["Outputs"].items()}

    def live(self, function):
        """The environment in which the function's alias runs."""
        version = self.resources[f"{function}Aliaslive"]["properties"]["FunctionVersion"].removesuffix(".Version")
        runs = next(of["runs"] for of in self.resources.values() if of["id"] == version)
        return json.loads(runs)["Environment"]["Variables"]


def find(request):
    stack = stacks.get(request["StackName"])
    if not stack or stack.status == "DELETE_COMPLETE" and request["StackName"] == stack.name:
        raise Refused(f"Stack with id {request['StackName']} does not exist")
    return stack


def members(request, name):
    """A list, as the query protocol writes it."""
    found = {}
    for key, value in request.items():
        if match := re.fullmatch(rf"{name}\.member\.(\d+)(?:\.(.+))?", key):
            found.setdefault(int(match[1]), {})[match[2]] = value
    return [one.get(None, one) for one in found.values()]


def template_of(request):
    text, most = request.get("TemplateBody"), 51_200
    if text is None:
        bucket, key = urllib.parse.urlparse(request["TemplateURL"]).path[1:].split("/", 1)
        text, most = s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode(), 1_000_000
    if len(text) > most:
        raise Refused(f"A template of {len(text)} bytes; {most} at most")
    return yaml_parse(text)


def parameters_of(request, template, previous):
    given, parameters = {of["ParameterKey"]: of for of in members(request, "Parameters")}, {}
    declared = template.get("Parameters", {})
    if given.keys() - declared.keys():
        raise Refused(f"Parameters: {given.keys() - declared.keys()} do not exist in the template")
    for key, of in declared.items():
        one = given.get(key, {"ParameterValue": of.get("Default")})
        value = previous.get(key) if one.get("UsePreviousValue") == "true" else one["ParameterValue"]
        if value is None or value not in of.get("AllowedValues", [value]):
            raise Refused(f"Parameter {key} cannot be {value}")
        parameters[key] = str(value)
    return parameters


def create_change_set(request):
    name, how, template = request["StackName"], request["ChangeSetType"], template_of(request)
    stack = stacks.get(name)
    if how == "CREATE" and (not stack or stack.status == "DELETE_COMPLETE"):
        stack = Stack(name, members(request, "Tags"))
    takes = ["REVIEW_IN_PROGRESS"] if how == "CREATE" else ["CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"]
    if not stack or stack.status not in takes:
        raise Refused(f"Stack [{name}] is in {stack and stack.status} state and can not be updated")
    parameters = parameters_of(request, template, stack.parameters)
    processed = template
    if "Transform" in template:
        processed = Translator({}, Parser(), boto_session=boto3.Session()).translate(template, dict(parameters))
    if "AWS::IAM::Role" in json.dumps(processed) and "CAPABILITY_IAM" not in members(request, "Capabilities"):
        raise Refused("Requires capabilities : [CAPABILITY_IAM]")
    imports = {of["LogicalResourceId"]: of["ResourceIdentifier.entry.1.value"] for of in members(request, "ResourcesToImport")}
    if how == "IMPORT":
        rest = {**processed, "Resources": {logical: of for logical, of in processed["Resources"].items() if logical not in imports}}
        if (rest, parameters) != (stack.processed, stack.parameters) or imports.keys() & stack.processed["Resources"].keys():
            raise Refused("As part of the import operation, you cannot modify or add what is not imported")
        if not all("DeletionPolicy" in processed["Resources"][logical] for logical in imports):
            raise Refused("Resources to import must have a DeletionPolicy")
    same = how == "UPDATE" and (processed, parameters) == (stack.processed, stack.parameters)
    stack.changes[request["ChangeSetName"]] = (how, processed, parameters, imports, same)
    return {"Id": f"arn:aws:cloudformation:us-east-1:123456789012:changeSet/{request['ChangeSetName']}/1", "StackId": stack.id}


def change_set(request):
    return find(request).changes[request["ChangeSetName"].removesuffix("/1").split("/")[-1]]


def describe_change_set(request):
    same = change_set(request)[-1]
    return {"Status": "FAILED" if same else "CREATE_COMPLETE", "Changes": [],
            "StatusReason": "The submitted information didn't contain changes." if same else ""}


def execute_change_set(request):
    stack = find(request)
    how, stack.processed, stack.parameters, imports, _ = change_set(request)
    for logical, name in imports.items():
        of = stack.processed["Resources"][logical]
        stack.resources[logical] = {"type": of["Type"], "id": name, "properties": stack.value(of["Properties"]), "gone": False}
    try:
        stack.settle()
        stack.become(f"{how}_COMPLETE")
    except Refused as refused:
        if how != "CREATE":
            raise
        print("   ", refused, flush=True)
        for logical in stack.there():
            stack.unmake(logical, retained=["Retain"])
        stack.become("ROLLBACK_COMPLETE")
    return {}


def delete_stack(request):
    stack = stacks[request["StackName"]]
    if stack.status != "DELETE_COMPLETE":
        for logical in stack.there():
            stack.unmake(logical)
        stack.become("DELETE_COMPLETE")
    return {}


def described(stack):
    return {"StackName": stack.name, "StackId": stack.id, "StackStatus": stack.status, "Tags": stack.tags, "CreationTime": stack.created,
            "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in stack.parameters.items()],
            "Outputs": [{"OutputKey": key, "OutputValue": value} for key, value in stack.outputs.items()]}


def describe_stack_resource(request):
    stack, of = find(request), find(request).resources.get(request["LogicalResourceId"])
    # What was let go is still told of a stack that is gone.
    if not of or of["gone"] and stack.status != "DELETE_COMPLETE":
        raise Refused(f"Resource {request['LogicalResourceId']} does not exist for stack {stack.name}")
    return {"StackResourceDetail": {"PhysicalResourceId": of["id"]}}


ACTIONS = {
    "CreateChangeSet": create_change_set, "DescribeChangeSet": describe_change_set, "ExecuteChangeSet": execute_change_set,
    "DeleteStack": delete_stack, "DescribeStackResource": describe_stack_resource,
    "DescribeStacks": lambda request: {"Stacks": [described(find(request))]},
    "DescribeStackEvents": lambda request: {"StackEvents": find(request).events},
    "ListStacks": lambda _: {"StackSummaries": [described(stack) for key, stack in stacks.items() if key == stack.id]},
    "GetTemplate": lambda request: {"TemplateBody": json.dumps(find(request).processed)},
    "GetTemplateSummary": lambda request: {"Parameters": [{"ParameterKey": key} for key in find(request).parameters]},
}


def xml(of):
    if isinstance(of, list):
        return "".join(f"<member>{xml(inner)}</member>" for inner in of)
    if isinstance(of, dict):
        return "".join(f"<{key}>{xml(inner)}</{key}>" for key, inner in of.items())
    return escape(str(of))


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"])).decode()
        request = dict(urllib.parse.parse_qsl(body, keep_blank_values=True))
        action = request["Action"]
        try:
            status, answer = 200, {f"{action}Response": {f"{action}Result": ACTIONS[action](request)}}
        except Refused as refused:
            status, answer = 400, {"ErrorResponse": {"Error": {"Code": "ValidationError", "Message": refused}}}
        if dies_after and f"{action} {request.get('ChangeSetName', '')}".startswith(dies_after):
            os.killpg(group, signal.SIGKILL)
        self.send_response(status)
        self.end_headers()
        self.wfile.write(xml(answer).encode())

    def log_message(self, *_):
        pass


def serve():
    """Its URL, until the process ends."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"
