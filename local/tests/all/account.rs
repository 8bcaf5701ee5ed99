//! Document C, over HTTP against the engines.
use serde_json::json;

use crate::support::{PAUSE, Test};

#[tokio::test]
async fn a_user_registers_and_logs_in() {
    let test = Test::start().await;
    let (id, token) = test.user("13800138001").await;
    let answer = test.json_as(&token, "/user/update_info", json!({"name": "felix", "gender": "1"})).await;
    assert_eq!(
        answer.body,
        json!({"code": "000000", "msg": "success", "data": {
            "name": "felix", "phone": "13800138001", "gender": "1", "avator": null, "large_avator": null, "email": null,
        }})
    );
    let user = &test.log_in("13800138001", "abcd1234").await.body["data"]["user_info"];
    assert_eq!((user["uid"].as_u64(), user["name"].as_str()), (Some(id), Some("felix")));
    test.wait(PAUSE);
    test.code("13800138001").await;
}
