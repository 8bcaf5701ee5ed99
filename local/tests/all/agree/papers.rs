//! What the pages say is so.
use std::{collections::BTreeMap, env, fs, path::Path};

use local::events;

use crate::support::operations;

/// Each document, its manner, both in Chinese as well, how many operations it has, how many we added.
const DOCUMENTS: [([&str; 2], [&str; 2], usize, usize); 5] = [
    (
        ["A user galleries", "A 用户相册"],
        ["GET, query string, `{code,msg,format_msg,data}`", "GET，查询字符串，`{code,msg,format_msg,data}`"],
        5,
        6,
    ),
    (
        ["B members", "B 会员"],
        ["REST, bare JSON, a device or a token signs in", "REST，纯 JSON，凭设备或 token 登录"],
        15,
        0,
    ),
    (["C accounts", "C 账号"], ["POST forms, `{code,msg,data}`", "POST 表单，`{code,msg,data}`"], 4, 0),
    (["D community", "D 社区"], ["RPC, JSON body with `token`", "RPC，JSON 请求体里带 `token`"], 91, 2),
    (
        ["E profile", "E 资料"],
        [
            "JSON or form, `Authorization` header, `{code,msg,result}`",
            "JSON 或表单，`Authorization` 头，`{code,msg,result}`",
        ],
        5,
        0,
    ),
];

fn root() -> &'static Path {
    events::root()
}

fn read(page: &str) -> String {
    fs::read_to_string(root().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"))
}

/// What lies between `<!-- name… -->` and `<!-- /name -->`.
fn marked<'a>(page: &'a str, name: &str) -> &'a str {
    let (_, rest) = page.split_once(&format!("<!-- {name}")).unwrap_or_else(|| panic!("no mark {name}"));
    let (_, rest) = rest.split_once("-->\n").unwrap();
    rest.split_once(&format!("<!-- /{name} -->")).unwrap_or_else(|| panic!("no mark /{name}")).0
}

/// That it stands so in the page; with `INSTA_UPDATE=always`, as for snapshots, it is written there.
fn stands_in(path: &str, name: &str, made: &str) {
    #[expect(clippy::disallowed_methods, reason = "how tests are asked to accept what is new")]
    let accept = env::var("INSTA_UPDATE").is_ok_and(|update| update == "always");
    let page = read(path);
    let found = marked(&page, name);
    if found != made && accept {
        let (open, close) = page.split_once(&format!("<!-- {name}")).unwrap();
        let close = close.replacen(&format!("-->\n{found}"), &format!("-->\n{made}"), 1);
        fs::write(root().join(path), format!("{open}<!-- {name}{close}")).unwrap();
    } else {
        assert_eq!(found, made, "{path}: between the marks of {name} should stand\n{made}");
    }
}

#[test]
fn the_table_of_documents_is_made_from_the_code() {
    let mut table = String::from("| document | manner | operations served |\n|---|---|---|\n");
    let mut in_chinese = String::from("| 文档 | 方式 | 已提供的操作 |\n|---|---|---|\n");
    let (mut all, mut all_documented, mut all_ours) = (0, 0, 0);
    for ([name, chinese_name], [manner, chinese_manner], documented, ours) in DOCUMENTS {
        let mut by_function = BTreeMap::<_, usize>::new();
        for (function, _) in operations().filter(|(_, operation)| *operation.document == name[..1]) {
            *by_function.entry(function.replace('_', " ")).or_default() += 1;
        }
        let served = by_function.values().sum::<usize>() - ours;
        let (mut says, mut chinese_says) = (format!("{served} of {documented}"), format!("{served} / {documented}"));
        if ours > 0 {
            says += &format!(", and {ours} of ours");
            chinese_says += &format!("，另有 {ours} 个自加的");
        }
        if by_function.len() > 1 {
            let parts: Vec<_> = by_function.iter().map(|(function, count)| format!("{function} {count}")).collect();
            says += &format!(": {}", parts.join(", "));
        }
        table += &format!("| {name} | {manner} | {says} |\n");
        in_chinese += &format!("| {chinese_name} | {chinese_manner} | {chinese_says} |\n");
        (all, all_documented, all_ours) = (all + served, all_documented + documented, all_ours + ours);
    }
    table += &format!("| all | | {all} of {all_documented}, and {all_ours} of ours |\n");
    in_chinese += &format!("| 合计 | | {all} / {all_documented}，另有 {all_ours} 个自加的 |\n");
    stands_in("README.md", "documents", &table);
    stands_in("README.zh-CN.md", "documents", &in_chinese);
}

/// What a reader of the Chinese one copies is what the gate runs of the English one.
#[test]
fn both_readmes_show_the_same_commands() {
    let [english, chinese] = ["README.md", "README.zh-CN.md"].map(read);
    for mark in ["run", "test", "call", "answer"] {
        let block = |page: &str| {
            let (_, rest) = page.split_once(&format!("<!-- {mark} -->\n")).unwrap_or_else(|| panic!("no mark {mark}"));
            rest.split_inclusive("```").take(2).collect::<String>()
        };
        assert_eq!(block(&english), block(&chinese), "{mark}");
    }
}

/// Each parameter of the template has its row, with its default.
#[test]
fn the_parameters_are_those_of_the_template() {
    let (template, page) = (read("template.yaml"), read("docs/deploy.md"));
    let parameters = template.split_once("Parameters:\n").unwrap().1.split_once("\nGlobals:").unwrap().0;
    let mut name = "";
    for line in parameters.lines() {
        if let Some(line) = line.strip_prefix("  ").filter(|line| !line.starts_with([' ', '#'])) {
            name = line.trim_end_matches(':');
            assert!(page.contains(&format!("`{name}`")), "docs/deploy.md: a row for the parameter {name}");
        }
        if let Some(default) = line.trim().strip_prefix("Default: ").map(|default| default.trim_matches('"')) {
            let row = page.lines().find(|row| row.starts_with('|') && row.contains(&format!("`{name}`")));
            let says = if default.is_empty() { "| empty |".to_owned() } else { format!("| `{default}` |") };
            assert!(row.is_some_and(|row| row.contains(&says)), "docs/deploy.md: the row of {name} has {says}");
        }
    }
}

#[test]
fn links_lead_somewhere() {
    let mut wrong = String::new();
    for folder in ["", "docs", ".github"] {
        for page in fs::read_dir(root().join(folder)).unwrap().map(|file| file.unwrap().path()) {
            if page.extension().is_none_or(|extension| extension != "md") {
                continue;
            }
            for to in links(&fs::read_to_string(&page).unwrap()) {
                if !to.contains(':') && !to.starts_with('#') && !leads(&page, &to) {
                    wrong += &format!("\n{}: {to}", page.display());
                }
            }
        }
    }
    assert!(wrong.is_empty(), "these lead nowhere:{wrong}");
}

/// Where `[…](…)`, `src="…"` and `href="…"` lead.
fn links(text: &str) -> Vec<String> {
    let after = |start: &'static str, end: char| {
        text.split(start).skip(1).filter_map(move |rest| Some(rest.split_once(end)?.0.to_owned()))
    };
    after("](", ')').chain(after("src=\"", '"')).chain(after("href=\"", '"')).collect()
}

fn leads(page: &Path, to: &str) -> bool {
    page.parent().unwrap().join(to.split('#').next().unwrap()).exists()
}

/// What cargo says without rustup is what rustup is told.
#[test]
fn the_rust_version_is_one() {
    let (toolchain, cargo) = (read("rust-toolchain.toml"), read("Cargo.toml"));
    let value = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name}"));
        line.split('"').nth(1).unwrap().to_owned()
    };
    let (channel, version) = (value(&toolchain, "channel"), value(&cargo, "rust-version"));
    assert!(channel.starts_with(&format!("{version}.")), "rust-toolchain.toml has {channel}, Cargo.toml {version}");
}
