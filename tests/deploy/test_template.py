"""The CloudFormation template that osls makes, offline: what AWS would refuse, and what ministack does not check."""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from infra import packaging
from interactions.performing import TRIES_MOST
from tests.deploy.stack import actions_of, run_osls
from trainer.voice_orders import TOLD_S

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT: Final = Path(__file__).parents[2]
REQUIRED: Final = {"publicKey": "00" * 32, "applicationId": "111111111111111111"}

Json = dict[str, Any]
Template = Json


@pytest.fixture(scope="session")
def make(osls: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Template]:
    """Makes the template, given parameters."""

    def made(**parameters: str) -> Template:
        return package(osls, tmp_path_factory.mktemp("template"), parameters)

    return made


def package(tool: Path, folder: Path, parameters: dict[str, str]) -> Template:
    """The template that a tool makes in a folder, of packages that hold nothing."""
    shutil.copytree(ROOT / "infra" / "aws", folder / "infra" / "aws")
    shutil.copy(ROOT / "serverless.yml", folder)
    (folder / "dist").mkdir()
    for machine in packaging.PLATFORMS:
        for name in packaging.PACKAGES:
            (folder / "dist" / f"{name}-{machine}.zip").write_bytes(b"PK\x05\x06" + bytes(18))
    # No proxy, no registry, no credentials: nothing outside is asked.
    offline = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    run_osls(tool, folder, ["package"], REQUIRED | parameters, offline)
    path = folder / ".serverless" / "cloudformation-template-update-stack.json"
    template: Template = json.loads(path.read_text())
    template["path"] = str(path)
    return template


@pytest.fixture(scope="session")
def template(make: Callable[..., Template]) -> Template:
    """With what holds when nothing is said."""
    return make()


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("publicKey", "00" * 31, "DISCORD_PUBLIC_KEY must be"),
        ("applicationId", "my bot", "DISCORD_APPLICATION_ID must be"),
        ("probePublicKey", "secret", "TRAINGER_PROBE_PUBLIC_KEY must be"),
    ],
)
def test_what_cannot_work_is_not_deployed(make: Callable[..., Template], name: str, value: str, said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        make(**{name: value})


def of_kind(template: Template, kind: str) -> dict[str, Json]:
    return {name: each for name, each in template["Resources"].items() if each["Type"] == kind}


def properties(template: Template, name: str) -> Json:
    found: Json = template["Resources"][name]["Properties"]
    return found


def test_cfn_lint_finds_nothing(template: Template) -> None:
    if importlib.util.find_spec("cfnlint") is None:
        pytest.skip("needs cfn-lint, which `make test-all` installs")
    # W3005: osls writes DependsOn beside each reference to a role.
    command = [str(Path(sys.executable).parent / "cfn-lint"), "--ignore-checks", "W3005", "--", template["path"]]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout + ran.stderr) == (0, "")


def test_a_function_url_has_both_permissions(template: Template) -> None:
    function = {"Fn::GetAtt": ["AckLambdaFunction", "Arn"]}
    permissions = [each["Properties"] for each in of_kind(template, "AWS::Lambda::Permission").values()]
    everybodys = [each for each in permissions if each["Principal"] == "*"]

    assert {
        "FunctionName": function,
        "Action": "lambda:InvokeFunctionUrl",
        "Principal": "*",
        "FunctionUrlAuthType": "NONE",
    } in everybodys
    # Without this one, URLs made since October 2025 answer 403.
    assert {
        "FunctionName": function,
        "Action": "lambda:InvokeFunction",
        "Principal": "*",
        "InvokedViaFunctionUrl": True,
    } in everybodys
    assert len(everybodys) == 2


def test_functions(template: Template) -> None:
    functions = of_kind(template, "AWS::Lambda::Function")
    assert set(functions) == {"AckLambdaFunction", "WorkLambdaFunction", "TickLambdaFunction"}
    for each in functions.values():
        assert each["Properties"]["Runtime"] == f"python{packaging.PYTHON}"
        assert each["Properties"]["Architectures"] == ["arm64"]
    groups = of_kind(template, "AWS::Logs::LogGroup")
    assert {each["Properties"]["RetentionInDays"] for each in groups.values()} == {30}
    assert len(groups) == 3
    # Discord waits three seconds, and Lambda's own limit is a quarter of an hour.
    timeouts = {name: each["Properties"]["Timeout"] for name, each in functions.items()}
    assert timeouts == {"AckLambdaFunction": 6, "WorkLambdaFunction": 900, "TickLambdaFunction": 900}
    (rule,) = of_kind(template, "AWS::Events::Rule").values()
    assert (rule["Properties"]["ScheduleExpression"], rule["Properties"]["State"]) == ("rate(1 hour)", "ENABLED")


def test_instances_can_be_kept_for_acknowledging(template: Template, make: Callable[..., Template]) -> None:
    assert properties(template, "AckLambdaFunction")["ReservedConcurrentExecutions"] == {"Ref": "AWS::NoValue"}
    assert properties(make(ackReserved="20"), "AckLambdaFunction")["ReservedConcurrentExecutions"] == 20


def test_workers_give_orders_to_a_sidecar_unless_there_is_none(
    template: Template, make: Callable[..., Template]
) -> None:
    def orders_go_to(made: Template) -> Any:
        return properties(made, "WorkLambdaFunction")["Environment"]["Variables"]["TRAINGER_VOICE_QUEUE"]

    assert orders_go_to(template) == {"Ref": "VoiceCommands"}
    assert orders_go_to(make(voiceQueue="none")) == "none"
    assert template["Outputs"]["VoiceQueue"]["Value"] == {"Ref": "VoiceCommands"}
    # Orders are dropped by then, and some are of use until then.
    assert properties(template, "VoiceCommands")["MessageRetentionPeriod"] == TOLD_S


def test_only_acknowledging_knows_the_probes_key(make: Callable[..., Template]) -> None:
    template = make(probePublicKey="ab" * 32)
    known = {
        name: each["Properties"]["Environment"]["Variables"].get("TRAINGER_PROBE_PUBLIC_KEY")
        for name, each in of_kind(template, "AWS::Lambda::Function").items()
    }
    assert known == {"AckLambdaFunction": "ab" * 32, "WorkLambdaFunction": None, "TickLambdaFunction": None}


def test_a_sidecar_takes_orders_and_no_jobs(template: Template) -> None:
    policies = of_kind(template, "AWS::IAM::ManagedPolicy")
    assert set(policies) == {"SidecarPolicy"}
    assert template["Outputs"]["SidecarPolicy"]["Value"] == {"Ref": "SidecarPolicy"}
    statements = properties(template, "SidecarPolicy")["PolicyDocument"]["Statement"]
    for each in statements:
        assert each["Effect"] == "Allow"
        assert not any("*" in action for action in actions_of(each))
    queues = [each["Resource"] for each in statements if actions_of(each)[0].startswith("sqs:")]
    assert queues == [{"Fn::GetAtt": ["VoiceCommands", "Arn"]}]


def test_acknowledging_has_no_secret_and_writes_nothing_but_jobs(template: Template) -> None:
    variables = properties(template, "AckLambdaFunction")["Environment"]["Variables"]
    assert set(variables) == {
        "DISCORD_PUBLIC_KEY",
        "DISCORD_APPLICATION_ID",
        "TRAINGER_PROBE_PUBLIC_KEY",
        "TRAINGER_STORE",
        "TRAINGER_QUEUE",
        "TRAINGER_LOG_LEVEL",
    }
    assert actions(template, "AckRole") == {
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "sqs:SendMessage",
        "s3:GetObject",
        "s3:ListBucket",
    }


def actions(template: Template, role: str) -> set[str]:
    (policy,) = properties(template, role)["Policies"]
    found: set[str] = set()
    for statement in policy["PolicyDocument"]["Statement"]:
        assert statement["Effect"] == "Allow"
        found |= set(actions_of(statement))
    return found


def test_no_right_is_for_everything(template: Template) -> None:
    roles = of_kind(template, "AWS::IAM::Role")
    assert set(roles) == {"AckRole", "WorkRole", "TickRole"}
    for name, role in roles.items():
        assert "ManagedPolicyArns" not in role["Properties"]
        for action in actions(template, name):
            assert "*" not in action
        for statement in role["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]:
            assert statement["Resource"] != "*"


def test_nothing_secret_is_in_the_template(template: Template) -> None:
    text = json.dumps(template)
    for name in ("DISCORD_TOKEN", "OPENAI_API_KEY", "TRAINGER_LINK_SECRET"):
        assert name not in text


def test_jobs_are_hidden_for_longer_than_a_function_runs(template: Template) -> None:
    jobs, mapping = properties(template, "Jobs"), of_kind(template, "AWS::Lambda::EventSourceMapping")
    assert jobs["VisibilityTimeout"] > properties(template, "WorkLambdaFunction")["Timeout"]
    # Else SQS would take what workers mean to give up themselves, telling the person.
    assert jobs["RedrivePolicy"]["maxReceiveCount"] > TRIES_MOST
    assert jobs["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": ["DeadLetters", "Arn"]}
    ((_, source),) = mapping.items()
    assert source["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert source["Properties"]["ScalingConfig"]["MaximumConcurrency"] >= 2
    assert source["Properties"]["MaximumBatchingWindowInSeconds"] == 0
    threads = properties(template, "WorkLambdaFunction")["Environment"]["Variables"]["TRAINGER_WORKER_THREADS"]
    assert int(threads) == source["Properties"]["BatchSize"]


def test_what_is_kept_is_private_and_encrypted(template: Template) -> None:
    store = properties(template, "Store")
    assert set(store["PublicAccessBlockConfiguration"].values()) == {True}
    (rule,) = store["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert "VersioningConfiguration" not in store
    rules = {rule["Id"]: rule for rule in store["LifecycleConfiguration"]["Rules"]}
    assert rules["unfinished-uploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 1}
    assert rules["old-versions"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}
    (statement,) = properties(template, "StorePolicy")["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Principal"], statement["Action"]) == ("Deny", "*", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    for queue in of_kind(template, "AWS::SQS::Queue").values():
        assert queue["Properties"]["SqsManagedSseEnabled"] is True


@pytest.mark.parametrize("wanted", ["Retain", "Delete"])
def test_removing_the_stack_keeps_the_data_unless_asked(make: Callable[..., Template], wanted: str) -> None:
    template = make(data=wanted) if wanted != "Retain" else make()
    store = template["Resources"]["Store"]
    assert (store["DeletionPolicy"], store["UpdateReplacePolicy"]) == (wanted, wanted)
    # CloudFormation updates nothing where a policy alone is another.
    assert store["Properties"]["Tags"] == [{"Key": "on-removal", "Value": wanted}]


ALARMS: Final = {
    "DeadLettersAlarm": ("AWS/SQS", "ApproximateNumberOfMessagesVisible", 0, "DeadLetters"),
    "WaitingAlarm": ("AWS/SQS", "ApproximateAgeOfOldestMessage", 300, "Jobs"),
    **{
        f"{function}{what}Alarm": ("AWS/Lambda", what, 0, f"{function}LambdaFunction")
        for function in ("Ack", "Work", "Tick")
        for what in ("Errors", "Throttles")
    },
}
"""Of each alarm, what it looks at, above which number it tells, and of which queue or function."""


def test_alarms(template: Template) -> None:
    found = {}
    for name, alarm in of_kind(template, "AWS::CloudWatch::Alarm").items():
        about = alarm["Properties"]
        (dimension,) = about["Dimensions"]
        value = dimension["Value"]
        of = value["Ref"] if dimension["Name"] == "FunctionName" else value["Fn::GetAtt"][0]
        found[name] = (about["Namespace"], about["MetricName"], about["Threshold"], of)
        assert about["ComparisonOperator"] == "GreaterThanThreshold"
        # Where nothing happens, nothing is wrong.
        assert about["TreatMissingData"] == "notBreaching"
        for document in re.findall(r"docs/[\w.-]+", about["AlarmDescription"]):
            assert (ROOT / document).exists()
        assert len(about["AlarmDescription"]) > 20
    assert found == ALARMS


def test_alarms_tell_the_stacks_own_topic_or_another(template: Template, make: Callable[..., Template]) -> None:
    alarms = of_kind(template, "AWS::CloudWatch::Alarm")
    assert all(each["Properties"]["AlarmActions"] == [{"Ref": "Alarms"}] for each in alarms.values())
    topic = "arn:aws:sns:eu-central-1:123456789012:ops"
    others = of_kind(make(alarmTopic=topic), "AWS::CloudWatch::Alarm").values()
    assert all(each["Properties"]["AlarmActions"] == [topic] for each in others)


def test_the_endpoint_is_an_output(template: Template) -> None:
    url = {"Fn::GetAtt": ["AckLambdaFunctionUrl", "FunctionUrl"]}
    assert template["Outputs"]["InteractionsUrl"]["Value"] == {"Fn::Join": ["", [url, "interactions"]]}
    assert template["Outputs"]["EventsUrl"]["Value"] == {"Fn::Join": ["", [url, "events"]]}


def test_another_machine(make: Callable[..., Template]) -> None:
    functions = of_kind(make(architecture="x86_64"), "AWS::Lambda::Function").values()
    for each in functions:
        assert each["Properties"]["Architectures"] == ["x86_64"]
        assert each["Properties"]["Code"]["S3Key"].endswith("-x86_64.zip")


def test_serverless_3_makes_the_same(serverless3: Path, template: Template, tmp_path: Path) -> None:
    theirs = package(serverless3, tmp_path, {})

    assert without_moments(theirs) == without_moments(template)


def without_moments(template: Template) -> Template:
    """A template without the folder that the packages of one deployment are in."""
    text = json.dumps({name: each for name, each in template.items() if name != "path"})
    found: Template = json.loads(re.sub(r"/test/\d+-[\dTZ:.-]+/", "/test/", text))
    return found
