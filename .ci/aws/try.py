"""Runs .ci/deploy, .ci/restore and .ci/teardown, and what docs/keys.md and docs/restore.md say to type, where nothing is at
stake: DynamoDB, S3 and Secrets Manager are moto's, CloudFormation is the stand-in beside this. Wants sam's Python, and on the
path the commands of moto and aws. Works on a copy, so that what `sam build` made is left alone."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import time

from samcli.yamlhelper import yaml_dump, yaml_parse

STACK = "plaza-dev"
work = pathlib.Path(tempfile.mkdtemp())
began = time.monotonic()

os.environ.update(AWS_ACCESS_KEY_ID="none", AWS_SECRET_ACCESS_KEY="none", AWS_DEFAULT_REGION="us-east-1", AWS_REGION="us-east-1",
                  AWS_CONFIG_FILE="/dev/null", AWS_SHARED_CREDENTIALS_FILE="/dev/null", SAM_CLI_POLL_DELAY="0.3")
# In our group of processes, to end with it.
moto = subprocess.Popen(["timeout", "--foreground", "600", "moto_server", "-H", "127.0.0.1", "-p", "0"], stderr=subprocess.PIPE,
                        stdout=subprocess.DEVNULL, text=True)
while not (url := re.search(r"http://127\.0\.0\.1:\d+", moto.stderr.readline())):
    assert moto.poll() is None, "moto did not start"
threading.Thread(target=moto.stderr.read, daemon=True).start()
os.environ["AWS_ENDPOINT_URL"] = url[0]

import cloudformation as cf  # asks the environment where the others are

os.environ["AWS_ENDPOINT_URL_CLOUDFORMATION"] = cf.serve()


def copy():
    """What the scripts read; of what `sam build` makes all but the functions."""
    for name in ".ci", "docs":
        shutil.copytree(name, work / name, ignore=shutil.ignore_patterns("web", "pictures"))
    for name in "template.yaml", "samconfig.toml":
        shutil.copy(name, work)
    template = yaml_parse((work / "template.yaml").read_text())
    for name, of in template["Resources"].items():
        if of["Type"] == "AWS::Serverless::Function":
            (work / ".aws-sam/build" / name).mkdir(parents=True)
            (work / ".aws-sam/build" / name / "bootstrap").write_text(name)
            of["Properties"]["CodeUri"] = name
    (work / ".aws-sam/build/template.yaml").write_text(yaml_dump(template))


def run(command, refused=None, dies_after=None, **variables):
    """What a command says, which must succeed, or be refused with these words, or die."""
    what = next(line for mark in (".ci/", "aws ") for line in command.splitlines() if mark in line)
    print(f"{time.monotonic() - began:4.0f} s  {what.split(' #')[0]}", dies_after and f"... dies after {dies_after}" or "", flush=True)
    ran = subprocess.Popen(["timeout", "120", "bash", "-euo", "pipefail", "-c", command], cwd=work, env={**os.environ, **variables},
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    cf.dies_after, cf.group = dies_after, ran.pid
    said, _ = ran.communicate()
    cf.dies_after = None
    right = ran.returncode == -9 if dies_after else refused in said and ran.returncode in (1, 2) if refused else ran.returncode == 0
    assert right, f"{command}: status {ran.returncode}\n{said}"
    return said


def page(name, mark):
    """The commands of a page's one block that has these words, for our stack."""
    found = [text for text in re.findall(r"```sh\n(.*?)```", (work / "docs" / name).read_text(), re.S) if mark in text]
    assert len(found) == 1, f"{name}: {mark}"
    return re.sub(r"(--stack-name )\S+", rf"\1{STACK}", re.sub(r"(\.ci/\w+) prod", r"\1 dev", found[0]))


def stack():
    return cf.stacks[STACK]


def id_of(logical):
    return stack().resources[logical]["id"]


def items(table):
    return sorted(item["pk"]["S"] for item in cf.dynamodb.scan(TableName=table)["Items"])


def put(table, key):
    cf.dynamodb.put_item(TableName=table, Item={"pk": {"S": key}, "sk": {"S": "-"}})


def left():
    """What there is, but for sam's own bucket: tables, buckets, secrets."""
    return (cf.dynamodb.list_tables()["TableNames"], [of["Name"] for of in cf.s3.list_buckets()["Buckets"] if "sam" not in of["Name"]],
            [of["ARN"] for of in cf.secrets.list_secrets()["SecretList"]])


def is_whole(table):
    """The stack is: everything leads to that table, and it is as the template has it."""
    assert stack().status == "UPDATE_COMPLETE" and id_of("Table") == stack().outputs["TableName"] == table
    has = cf.dynamodb.describe_table(TableName=table)["Table"]
    assert has["DeletionProtectionEnabled"] and has["StreamSpecification"]["StreamViewType"] == "KEYS_ONLY"
    ttl = cf.dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert (ttl["TimeToLiveStatus"], ttl["AttributeName"]) == ("ENABLED", "expires_at")
    backups = cf.dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    for function in [name for name in stack().there() if stack().resources[name]["type"] == "AWS::Lambda::Function"]:
        assert stack().live(function)["TABLE"] == table, function
    assert stack().resources["FanoutChanges"]["properties"]["EventSourceArn"] == has["LatestStreamArn"]


def deploying():
    """A first deployment that fails leaves nothing, and one that is broken off is gone on with."""
    cf.fail_at.add("MediaSite")
    run(".ci/deploy dev", refused="Stack plaza-dev has been deleted")
    assert left() == ([], [], []) and stack().status == "DELETE_COMPLETE"
    cf.fail_at.clear()
    cf.Stack(STACK).become("ROLLBACK_COMPLETE")  # as sam alone leaves it
    run(".ci/deploy dev", dies_after="CreateChangeSet")
    run(".ci/deploy dev", dies_after="ExecuteChangeSet")
    assert stack().parameters["ProtectTable"] == "false"
    run(".ci/deploy dev SmsPerDay=30")
    is_whole(id_of("Table"))
    assert stack().live("User")["SMS_PER_DAY"] == "30"
    assert "No changes to deploy" in run(".ci/deploy dev SmsPerDay=30")


def changing_keys():
    """What is deployed takes both keys, then signs with the new one, then takes no other."""
    old, new = stack().live("User")["JWT_KEY"], "a-new-key-of-at-least-32-characters"
    before, *steps = re.split(r"^(?=step \")", page("keys.md", "step()"), flags=re.M)
    for step, keys in zip(steps, [(old, new), (new, old), (new, "none")], strict=True):
        run(f"openssl() {{ echo {new}; }}\n{before}{step}")
        assert (stack().live("User")["JWT_KEY"], stack().live("User")["JWT_KEYS_ACCEPTED"]) == keys, step


def restoring():
    """To a moment, broken off twice."""
    own = id_of("Table")
    other = own + "-restored"
    put(own, "before")
    restore, to_use = re.split(r"^(?=\.ci/restore)", page("restore.md", "restore-table-to-point-in-time"), flags=re.M)
    run(restore)
    put(own, "later")
    run(to_use, table=own, dies_after="CreateChangeSet another-table")
    assert stack().live("User")["TABLE"] == other and "Table" not in stack().there()
    run(".ci/deploy dev", refused="would be given an empty one")
    run(to_use, table=own, dies_after="ExecuteChangeSet another-table")
    run(to_use, table=own)
    is_whole(other)
    assert (items(other), items(own)) == (["before"], ["before", "later"])
    run(f"aws dynamodb update-table --table-name {own} --no-deletion-protection-enabled && aws dynamodb delete-table --table-name {own}")


def tearing_down():
    """The data stays, and a new stack takes it over; told twice, and broken off, all goes."""
    table, bucket, jwt_key = id_of("Table"), id_of("Media"), stack().live("User")["JWT_KEY"]
    cf.s3.put_object(Bucket=bucket, Key="media/one", Body=b"-")
    kept = run(".ci/teardown dev").split("secrets ")[1].splitlines()[0]
    assert stack().status == "DELETE_COMPLETE" and left()[:2] == ([table], [bucket]) and set(left()[2]) == set(kept.split())
    run(page("restore.md", "old_table"), old_table=table, old_bucket=bucket, old_secrets=kept, parameters="UploadsPerDay=40")
    is_whole(table)
    live = stack().live("User")
    assert items(table) == ["before"] and (live["JWT_KEY"], live["UPLOADS_PER_DAY"]) == (jwt_key, "40")
    assert cf.s3.get_object(Bucket=id_of("Media"), Key="media/one")["Body"].read() == b"-"

    # More than a page of versions and delete markers.
    keys = [f"media/a-name-that-is-as-long-as-a-uuid-is-{number}.jpeg" for number in range(510)]
    for key in keys:
        cf.s3.put_object(Bucket=id_of("Media"), Key=key, Body=b"-")
    cf.s3.delete_objects(Bucket=id_of("Media"), Delete={"Objects": [{"Key": key} for key in keys]})
    command = ".ci/teardown dev --delete-data --yes-delete-the-data-of"
    run(f"{command} plaza", refused="say so twice")
    run(f"{command} {STACK}", dies_after="DeleteStack")
    for _ in 1, 2:
        run(f"{command} {STACK}")
    assert left()[:2] == ([], [bucket]) and set(left()[2]) == set(kept.split())


try:
    copy()
    deploying()
    changing_keys()
    restoring()
    tearing_down()
    print(f"{time.monotonic() - began:4.0f} s")
finally:
    moto.terminate()
    shutil.rmtree(work)
