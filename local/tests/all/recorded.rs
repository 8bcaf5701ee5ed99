//! What is stored outlives a release: tables as earlier releases left them are served by this one. docs/changing-items.md
//! has the rules.
use std::{collections::BTreeMap, env, fs, path::PathBuf};

use http::{Method, Request};
use local::events;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    agree::{answers_every_event, fresh},
    support::Test,
};

fn folder() -> PathBuf {
    events::root().join("local/tests/recorded")
}

/// Asks the table's engine, in the form that it speaks.
async fn ask(test: &Test, operation: &str, mut body: Value) -> Value {
    let request = Request::builder().method(Method::POST).header("content-type", "application/x-amz-json-1.0");
    let request = request.header("x-amz-target", format!("DynamoDB_20120810.{operation}"));
    // Nobody checks the signature.
    const SIGNATURE: &str =
        "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0";
    let request = request.header("x-amz-date", "20260101T000000Z").header("authorization", SIGNATURE);
    if operation == "Scan" {
        body["TableName"] = test.plaza.app.config.table.clone().into();
    }
    let answer = test.call(request, &test.plaza.engines.dynamodb, body.to_string()).await;
    assert_eq!(answer.status, 200, "{operation}: {:?}", answer.body);
    answer.body
}

/// The sample's table, an item a line, in the order of the keys.
async fn record(test: &Test) -> String {
    let mut items = BTreeMap::new();
    let mut from = json!({});
    loop {
        let page = ask(test, "Scan", from).await;
        for item in page["Items"].as_array().unwrap() {
            items.insert(["pk", "sk"].map(|part| item[part]["S"].as_str().unwrap().to_owned()), item.to_string());
        }
        match &page["LastEvaluatedKey"] {
            Value::Null => break,
            key => from = json!({"ExclusiveStartKey": key}),
        }
    }
    items.into_values().map(|item| item + "\n").collect()
}

/// A data folder whose table holds these items, and nothing else.
async fn restored(recording: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let test = Test::on(folder.path()).await;
    let items: Vec<Value> = recording.lines().map(|item| serde_json::from_str(item).unwrap()).collect();
    for items in items.chunks(25) {
        let puts: Vec<_> = items.iter().map(|item| json!({"PutRequest": {"Item": item}})).collect();
        let written =
            ask(&test, "BatchWriteItem", json!({"RequestItems": {&*test.plaza.app.config.table: puts}})).await;
        assert_eq!(written["UnprocessedItems"], json!({}));
    }
    // Or each copy of it would tell `fanout` of all that.
    test.plaza.deliver().await.unwrap();
    test.plaza.engines.stop().await;
    folder
}

/// Rows of the table in `store/keys.rs` that the sample has nothing of.
const NOT_RECORDED: &[&str] = &[
    "whose e-mail",
    "whose user name",
    "whose identity at QQ, WeChat, Weibo",
    "wrong guesses at an account that does not exist",
    "a gallery that is being deleted",
    "what a user wrote to the operators",
    "where that lies",
    "where a user's device was, for a while",
    "what one user gave another, by code",
    "whom a user gave something",
    "that a gift was entered, by the operators' id",
    "that VIP time was granted, by the operators' id",
    "what is counted of one whom a crowd found, in 32 shards",
    "whose lists are always read beside a user's feeds",
    "who was followed or unfollowed lately",
    "the text of an article, where it is long",
    "how many numbers of a block lead nowhere",
    "up to which place a user's feed was trimmed",
    "that a comment was deleted, for a day",
    "what an idempotency key was used for, for a day",
    "charges whose outcome is not known, in eight parts",
    "charges that have to be paid back",
    "those of withdrawn records",
    "a user's export of the day, and how far it is",
    "whose export is to be made, by when to go on",
    "who has left and is being erased, by when to go on",
];

/// Whether `text` is as `pattern` with something in the place of each `<…>`.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((literal, rest)) = pattern.split_once('<') else { return pattern == text };
    let Some(text) = text.strip_prefix(literal) else { return false };
    let rest = rest.split_once('>').expect("a placeholder ends").1;
    text.char_indices().skip(1).any(|(at, _)| fits(rest, &text[at..])) || (rest.is_empty() && !text.is_empty())
}

/// What `store/keys.rs` lists and the recording has no item of.
fn missing(recording: &str) -> Vec<&'static str> {
    let keys: Vec<_> = recording.lines().map(|item| serde_json::from_str::<Value>(item).unwrap()).collect();
    let keys: Vec<_> = keys.iter().map(|item| ["pk", "sk"].map(|part| item[part]["S"].as_str().unwrap())).collect();
    let rows = include_str!("../../../shared/src/store/keys.rs").lines().filter_map(|line| line.strip_prefix("//! | "));
    let rows = rows.map(|row| row.split(" | ").collect::<Vec<_>>()).filter(|row| row[1].contains('`'));
    let quoted = |cell: &'static str| cell.split('`').skip(1).step_by(2);
    let lies = |row: &[&'static str]| {
        let fits = |cell, text| {
            quoted(cell).any(|pattern| matches!(pattern, "<followee>" | "<subject>") || fits(pattern, text))
        };
        keys.iter().any(|[pk, sk]| fits(row[1], pk) && fits(row[2], sk))
    };
    rows.filter(|row| !lies(row)).map(|row| row[0]).collect()
}

/// `RECORD=<version> cargo test -p local recorded` writes this release's.
#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::disallowed_methods, reason = "whoever runs it asks for a recording")]
async fn what_every_release_has_stored_is_served() {
    if let Ok(version) = env::var("RECORD") {
        let folder = tempfile::tempdir().unwrap();
        fresh(Some(folder.path())).await.engines.stop().await;
        let test = Test::on(folder.path()).await;
        fs::create_dir_all(self::folder()).unwrap();
        let recording = record(&test).await;
        assert_eq!(missing(&recording), NOT_RECORDED);
        fs::write(self::folder().join(format!("{version}.jsonl")), recording).unwrap();
    }
    for file in fs::read_dir(folder()).unwrap().map(|file| file.unwrap().path()) {
        eprintln!("{}", file.display());
        answers_every_event(&restored(&fs::read_to_string(&file).unwrap()).await).await;
    }
}
