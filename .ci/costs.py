"""What each operation costs per million, by the held budgets and AWS's list prices: the tables of docs/costs.md.

.ci/costs.py          writes them into docs/costs.md
.ci/costs.py --check  fails where they are not what it would write
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# List prices of us-east-1 in dollars, November 2026, per million; of Lambda on x86_64.
READ_UNIT, WRITE_UNIT = 0.125, 0.625
API_REQUEST, INVOCATION, GB_SECOND = 1.00, 0.20, 16.6667
LOG_GB, STORED_GB = 0.50, 0.25
# Two lines a request, of the function's log and of the access log.
LOG_BYTES = 700
# Milliseconds that are billed: of a function by itself as measured, of a round trip to the table as AWS says of it, and
# of a password's hash, measured on a whole CPU, which is 1,769 MB.
MS, MS_ROUND, MS_HASH = 2, 5, 29
HASHES = {"account_login", "login", "m_user_audit_login", "user_login", "user_password_update", "user_register", "user_signup"}

# A typical user's month: somebody who opens the app on 20 days and reads more than they write.
MONTH = {
    "account_login": 1,
    "my_user_info": 20,
    "home_banner": 20,
    "article_list": 60,
    "following_article_list": 40,
    "article_detail": 100,
    "article_comment_list": 40,
    "user_pic_list": 20,
    "game_recommend_list": 10,
    "article_like": 30,
    "article_comment_publish": 4,
    "article_publish": 2,
    "user_follow": 2,
}
# Followers of a publication's author: each one's feed is written to.
FOLLOWERS = 30
STORED_KB = 100

budgets = re.findall(
    r'Budget \{ case: "(.+?)", rounds: (\d+), calls: \d+, reads: ([\d.]+), writes: ([\d.]+) \}',
    (ROOT / "local/tests/all/budgets.rs").read_text(),
)
template = (ROOT / "template.yaml").read_text()
memory = {}
for block in re.split(r"^  (?=\w+:\n    Type: AWS::Serverless::Function)", template, flags=re.M)[1:]:
    binary = re.search(r"Binary: (\w+)", block)[1]
    own = re.search(r"^      MemorySize: (\d+)", block, flags=re.M)
    memory[binary] = int(own[1]) if own else 256
owner = {event.stem: event.parent.name for event in (ROOT / "events").glob("*/*.json") if ".answer" not in event.name}


def costs(case, rounds, reads, writes):
    """Of the table, of Lambda, of all, with API Gateway and the logs."""
    name = case.split(" (")[0]
    megabytes = memory[owner[name]]
    milliseconds = MS + MS_ROUND * int(rounds) + (MS_HASH * 1769 / megabytes if name in HASHES else 0)
    table = float(reads) * READ_UNIT + float(writes) * WRITE_UNIT
    function = INVOCATION + megabytes / 1024 * milliseconds / 1000 * GB_SECOND
    return table, function, table + function + API_REQUEST + LOG_BYTES / 1000 * LOG_GB


rows = {case: costs(case, *rest) for case, *rest in budgets}
missing = [name for name in MONTH if name not in rows]
if missing:
    sys.exit(f"MONTH: no budget of {', '.join(missing)}")
requests = sum(MONTH.values())
dollars = sum(rows[name][2] * times for name, times in MONTH.items()) / 1e6
dollars += MONTH["article_publish"] * FOLLOWERS * WRITE_UNIT / 1e6 + STORED_KB / 1e6 * STORED_GB
month = (
    f"A typical user opens the app on 20 days and sends {requests} requests a month ("
    + ", ".join(f"{times} `{name}`" for name, times in MONTH.items())
    + f"), has {FOLLOWERS} followers and {STORED_KB} KB in the table. That costs ${dollars:.6f} a month: "
    f"**${dollars * 10_000:,.2f} for 10,000 such users, ${dollars * 1_000_000:,.0f} for 1,000,000**, without SMS, media "
    "and their traffic, and free tiers. (The alarms, the dashboard and the secrets are some $7 a month beside that.)"
)
table = ["| operation | table | Lambda | all, with API Gateway and logs |", "|---|--:|--:|--:|"]
table += [f"| `{case}` | {a:.2f} | {b:.2f} | {c:.2f} |" for case, (a, b, c) in sorted(rows.items())]


def replaced(text, mark, made):
    start, end = f"<!-- {mark}: made by .ci/costs.py -->", f"<!-- /{mark} -->"
    before, rest = text.split(start)
    return before + start + "\n" + made + "\n" + end + rest.split(end)[1]


page = ROOT / "docs/costs.md"
text = page.read_text()
made = replaced(replaced(text, "month", month), "operations", "\n".join(table))
readme = ROOT / "README.md"
short = f"A typical user's month (20 days, {requests} requests) costs ${dollars * 10_000:,.2f} for 10,000 users and ${dollars * 1_000_000:,.0f} for 1,000,000:\n[docs/costs.md](docs/costs.md) says of what."
front = replaced(readme.read_text(), "cost", short)
if "--check" in sys.argv:
    if (made, front) != (text, readme.read_text()):
        sys.exit("docs/costs.md or README.md is not as the budgets say: run .ci/costs.py")
else:
    page.write_text(made)
    readme.write_text(front)
    print(month)
