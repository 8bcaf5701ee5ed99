//! What each operation costs: rounds in sequence, and capacity units as DynamoDB reports them, held exactly.
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use futures_util::{
    StreamExt as _,
    future::{join_all, try_join_all},
    stream,
};
use local::{events, sample};
use serde_json::{Value, json};
use shared::{
    domain::{ArticleId, DAY, GalleryId, MediaId, MediaKind, TicketId, UserId},
    outside::aws,
    store::{Changes, Mark, SignUp},
};
use tempfile::TempDir;

use crate::{
    deeds, policies,
    support::{Cost, START, Test, copied, invoke, operations, together},
};

/// Round trips in sequence that an operation may take without saying why.
const ROUNDS: usize = 3;

/// How many others are there beside the sample's people: what an operation costs is the same among few and many.
const CROWDS: [usize; 2] = [2, 500];

/// An operation's sample event, sent to a Plaza with the sample's data, or a special case of it. A transaction's writes
/// cost double; the object store and SNS are calls, not units; the table does not say what a transaction took whose
/// condition failed.
struct Budget {
    /// The operation's name, and in brackets which case of it.
    case: &'static str,
    rounds: usize,
    calls: usize,
    reads: f64,
    writes: f64,
}

/// Why an operation takes more rounds than it should.
const LONG_ONES: &[(&str, &str)] = &[
    (
        "user_update_info (phone)",
        "the session, the try at the code, the names held so far, their change: no two may be one, and it is rare",
    ),
    (
        "user_pic_delete",
        "the object goes between finding the picture and forgetting it, so that a repeat can finish; it was the cover, \
         whose place another one takes",
    ),
    ("user_pic_delete (not the cover)", "the same without what comes after the cover"),
    (
        "user_pic_upload",
        "whose gallery it is comes before a picture is decoded and kept, what is known of the file before \
         it is there, and the picture before what leads to it",
    ),
    (
        "article_publish (images)",
        "the images are looked at before a number is drawn, or whoever sends bad ones would fill the list with holes",
    ),
    ("article_del", "the session, the article, what else uses its images, its end: of one without images it is three"),
    ("m_user_users_put", "with an icon: the session, what the profile names, what else uses that, the change"),
    (
        "my_user_info_update (avatar)",
        "the session, the upload, what the profile names, what else uses that, the change",
    ),
    ("order_create", "the session, the tickets, what their records say they cost, the holds"),
    ("order_create_by_shopping_cart", "as order_create"),
    (
        "order_pay",
        "the session; the order, and its holds made endless; between them and the tickets the provider is asked",
    ),
    ("shopping_cart_add", "the session, the ticket, what its record and its project's list say, the cart"),
    ("message_del", "the session, whose messages they are, what is the newest of their conversations and what is left"),
    (
        "article_comment_del",
        "two, one by one, one of which answers somebody; whose article, is asked where it is another's",
    ),
    ("m_user_audit_login", "a password login's three, and the new device's record once the password was right"),
    (
        "m_user_likes_delete (by device)",
        "whose device it is, the session, the like, its removal; by a token it is three",
    ),
    (
        "m_user_login (with a token)",
        "the session, whose the device is, the count of ties, what leads to the tie, the tie, then the two rounds of every \
         login by a device",
    ),
    ("ticket_comment_publish", "the session, the ticket, whether what it belongs to is withdrawn, the comment"),
    ("ticket_comment_del", "what stands under the ticket beside it is looked for once the ticket is known"),
    ("ticket_comment_del (the last)", "the same: the one before it is shown in the circle then"),
    (
        "user_erase",
        "the session, whose phone it is, the try at the code, what leads to the user, their end, what counts \
         their followers: once in a life",
    ),
    ("user_export", "as user_erase: whoever gets all of a user's has to show more than a token"),
    (
        "user_update_avator",
        "that the picture is the user's is known before it is there, so that it is found when they leave; then what the \
         profile names, what else uses that, the change",
    ),
    ("user_update_user_profile_picture", "as user_update_avator"),
    ("user_pic_dir_delete", "step by step, so that a repeat can finish; 500 pictures are too many for a transaction"),
];

#[rustfmt::skip]
const BUDGETS: &[Budget] = &[
    Budget { case: "account_login", rounds: 3, calls: 4, reads: 2.0, writes: 2.0 },
    Budget { case: "article_collect", rounds: 2, calls: 3, reads: 1.0, writes: 9.0 },
    Budget { case: "article_comment_del", rounds: 6, calls: 6, reads: 5.0, writes: 26.0 },
    Budget { case: "article_comment_del (under another's)", rounds: 3, calls: 3, reads: 2.0, writes: 12.0 },
    Budget { case: "article_comment_list", rounds: 2, calls: 5, reads: 5.5, writes: 0.0 },
    Budget { case: "article_comment_publish", rounds: 2, calls: 3, reads: 1.0, writes: 11.0 },
    Budget { case: "article_comment_reply", rounds: 3, calls: 4, reads: 2.0, writes: 15.0 },
    Budget { case: "article_comment_up", rounds: 3, calls: 4, reads: 2.0, writes: 5.0 },
    Budget { case: "article_del", rounds: 4, calls: 4, reads: 4.0, writes: 14.0 },
    Budget { case: "article_detail", rounds: 2, calls: 7, reads: 9.5, writes: 0.0 },
    Budget { case: "article_like", rounds: 2, calls: 3, reads: 1.0, writes: 7.0 },
    Budget { case: "article_list", rounds: 3, calls: 6, reads: 7.5, writes: 0.0 },
    Budget { case: "article_publish", rounds: 3, calls: 4, reads: 1.0, writes: 10.0 },
    Budget { case: "article_publish (images)", rounds: 4, calls: 5, reads: 2.0, writes: 14.0 },
    Budget { case: "article_uncollect", rounds: 3, calls: 3, reads: 2.0, writes: 8.0 },
    Budget { case: "article_unlike", rounds: 3, calls: 3, reads: 2.0, writes: 6.0 },
    Budget { case: "current_time", rounds: 0, calls: 0, reads: 0.0, writes: 0.0 },
    Budget { case: "design_circle_banner", rounds: 1, calls: 2, reads: 2.0, writes: 0.0 },
    Budget { case: "design_circle_cloth_collect", rounds: 2, calls: 3, reads: 1.0, writes: 5.0 },
    Budget { case: "design_circle_cloth_detail", rounds: 1, calls: 1, reads: 3.0, writes: 0.0 },
    Budget { case: "design_circle_cloth_list", rounds: 2, calls: 3, reads: 3.0, writes: 0.0 },
    Budget { case: "design_circle_cloth_uncollect", rounds: 3, calls: 3, reads: 2.0, writes: 4.0 },
    Budget { case: "entry_logout", rounds: 2, calls: 2, reads: 1.0, writes: 1.0 },
    Budget { case: "following_article_list", rounds: 2, calls: 5, reads: 7.0, writes: 0.0 },
    Budget { case: "game_banner", rounds: 1, calls: 2, reads: 2.0, writes: 0.0 },
    Budget { case: "game_collect", rounds: 2, calls: 3, reads: 1.0, writes: 5.0 },
    Budget { case: "game_comment_del", rounds: 3, calls: 3, reads: 2.0, writes: 12.0 },
    Budget { case: "game_comment_down", rounds: 3, calls: 4, reads: 2.0, writes: 5.0 },
    Budget { case: "game_comment_list", rounds: 2, calls: 4, reads: 6.5, writes: 0.0 },
    Budget { case: "game_comment_publish", rounds: 2, calls: 3, reads: 1.0, writes: 11.0 },
    Budget { case: "game_comment_up", rounds: 3, calls: 4, reads: 2.0, writes: 5.0 },
    Budget { case: "game_detail", rounds: 1, calls: 1, reads: 3.0, writes: 0.0 },
    Budget { case: "game_like", rounds: 2, calls: 3, reads: 1.0, writes: 5.0 },
    Budget { case: "game_recommend_list", rounds: 2, calls: 3, reads: 3.0, writes: 0.0 },
    Budget { case: "game_uncollect", rounds: 3, calls: 3, reads: 2.0, writes: 4.0 },
    Budget { case: "game_unlike", rounds: 3, calls: 3, reads: 2.0, writes: 4.0 },
    Budget { case: "get_media_id", rounds: 2, calls: 3, reads: 1.0, writes: 3.0 },
    Budget { case: "home_banner", rounds: 1, calls: 2, reads: 2.0, writes: 0.0 },
    Budget { case: "login", rounds: 3, calls: 4, reads: 2.0, writes: 2.0 },
    Budget { case: "m_user_audit_login", rounds: 4, calls: 5, reads: 2.0, writes: 6.0 },
    Budget { case: "m_user_comments_get", rounds: 2, calls: 4, reads: 4.5, writes: 0.0 },
    Budget { case: "m_user_comments_get (by device)", rounds: 3, calls: 5, reads: 5.5, writes: 0.0 },
    Budget { case: "m_user_comments_post", rounds: 2, calls: 3, reads: 1.0, writes: 11.0 },
    Budget { case: "m_user_comments_post (by device)", rounds: 3, calls: 4, reads: 2.0, writes: 11.0 },
    Budget { case: "m_user_feedbacks", rounds: 2, calls: 3, reads: 1.0, writes: 5.0 },
    Budget { case: "m_user_im_token", rounds: 1, calls: 1, reads: 1.0, writes: 0.0 },
    Budget { case: "m_user_likes_delete", rounds: 3, calls: 3, reads: 2.0, writes: 6.0 },
    Budget { case: "m_user_likes_delete (by device)", rounds: 4, calls: 4, reads: 3.0, writes: 6.0 },
    Budget { case: "m_user_likes_post", rounds: 2, calls: 3, reads: 1.0, writes: 7.0 },
    Budget { case: "m_user_login", rounds: 2, calls: 2, reads: 3.0, writes: 0.0 },
    Budget { case: "m_user_login (with a token)", rounds: 7, calls: 7, reads: 5.0, writes: 3.0 },
    Budget { case: "m_user_user_chat_media", rounds: 1, calls: 1, reads: 2.0, writes: 0.0 },
    Budget { case: "m_user_user_tracks", rounds: 2, calls: 3, reads: 1.0, writes: 2.0 },
    Budget { case: "m_user_users_get", rounds: 1, calls: 1, reads: 2.0, writes: 0.0 },
    Budget { case: "m_user_users_homepage", rounds: 2, calls: 4, reads: 6.0, writes: 0.0 },
    Budget { case: "m_user_users_homepage (by device)", rounds: 3, calls: 5, reads: 7.0, writes: 0.0 },
    Budget { case: "m_user_users_patch", rounds: 2, calls: 2, reads: 1.0, writes: 1.0 },
    Budget { case: "m_user_users_post", rounds: 1, calls: 1, reads: 0.0, writes: 8.0 },
    Budget { case: "m_user_users_put", rounds: 4, calls: 4, reads: 3.0, writes: 2.0 },
    Budget { case: "master_detail", rounds: 1, calls: 1, reads: 4.0, writes: 0.0 },
    Budget { case: "master_follow", rounds: 2, calls: 3, reads: 1.0, writes: 15.0 },
    Budget { case: "master_list", rounds: 2, calls: 3, reads: 3.0, writes: 0.0 },
    Budget { case: "master_recommend_list", rounds: 2, calls: 3, reads: 3.0, writes: 0.0 },
    Budget { case: "master_unfollow", rounds: 3, calls: 3, reads: 2.0, writes: 12.0 },
    Budget { case: "merchant_cloth_collect", rounds: 3, calls: 4, reads: 2.0, writes: 5.0 },
    Budget { case: "merchant_cloth_detail", rounds: 2, calls: 3, reads: 5.5, writes: 0.0 },
    Budget { case: "merchant_cloth_list", rounds: 2, calls: 5, reads: 5.5, writes: 0.0 },
    Budget { case: "merchant_cloth_recommend_list", rounds: 2, calls: 5, reads: 5.5, writes: 0.0 },
    Budget { case: "merchant_cloth_uncollect", rounds: 3, calls: 3, reads: 2.0, writes: 4.0 },
    Budget { case: "merchant_follow", rounds: 2, calls: 3, reads: 1.0, writes: 13.0 },
    Budget { case: "merchant_unfollow", rounds: 3, calls: 3, reads: 2.0, writes: 10.0 },
    Budget { case: "my_article_collect_list", rounds: 3, calls: 4, reads: 3.0, writes: 0.0 },
    Budget { case: "my_article_list", rounds: 2, calls: 4, reads: 6.0, writes: 0.0 },
    Budget { case: "my_follower", rounds: 2, calls: 3, reads: 3.0, writes: 0.0 },
    Budget { case: "my_following_masters", rounds: 2, calls: 3, reads: 2.5, writes: 0.0 },
    Budget { case: "my_following_masters_project_list", rounds: 2, calls: 4, reads: 5.0, writes: 0.0 },
    Budget { case: "my_following_masters_ticket_list", rounds: 2, calls: 5, reads: 5.5, writes: 0.0 },
    Budget { case: "my_following_merchants", rounds: 2, calls: 3, reads: 2.5, writes: 0.0 },
    Budget { case: "my_following_users", rounds: 2, calls: 3, reads: 3.0, writes: 0.0 },
    Budget { case: "my_user_info", rounds: 1, calls: 1, reads: 3.0, writes: 0.0 },
    Budget { case: "my_user_info_update", rounds: 3, calls: 3, reads: 2.0, writes: 4.0 },
    Budget { case: "my_user_info_update (avatar)", rounds: 5, calls: 5, reads: 4.0, writes: 4.0 },
    Budget { case: "message_del", rounds: 4, calls: 5, reads: 3.5, writes: 10.0 },
    Budget { case: "my_message", rounds: 1, calls: 2, reads: 3.0, writes: 0.0 },
    Budget { case: "my_message_center", rounds: 2, calls: 3, reads: 3.5, writes: 0.0 },
    Budget { case: "send_message_to_customer_service", rounds: 3, calls: 5, reads: 2.0, writes: 12.0 },
    Budget { case: "send_message_to_master", rounds: 3, calls: 6, reads: 3.0, writes: 12.0 },
    Budget { case: "send_message_to_merchant", rounds: 3, calls: 6, reads: 3.0, writes: 14.0 },
    Budget { case: "send_message_to_user", rounds: 3, calls: 7, reads: 4.0, writes: 16.0 },
    Budget { case: "project_detail", rounds: 2, calls: 4, reads: 4.5, writes: 0.0 },
    Budget { case: "project_list", rounds: 2, calls: 4, reads: 5.0, writes: 0.0 },
    Budget { case: "project_recommend_list", rounds: 2, calls: 4, reads: 4.5, writes: 0.0 },
    Budget { case: "send_sms_code", rounds: 3, calls: 3, reads: 1.0, writes: 6.0 },
    Budget { case: "ticket_banner", rounds: 1, calls: 2, reads: 2.0, writes: 0.0 },
    Budget { case: "ticket_circle", rounds: 2, calls: 4, reads: 5.5, writes: 0.0 },
    Budget { case: "ticket_comment_del", rounds: 4, calls: 5, reads: 4.0, writes: 14.0 },
    Budget { case: "ticket_comment_del (the last)", rounds: 4, calls: 5, reads: 4.0, writes: 18.0 },
    Budget { case: "ticket_comment_list", rounds: 2, calls: 4, reads: 7.5, writes: 0.0 },
    Budget { case: "my_order_list", rounds: 1, calls: 2, reads: 2.0, writes: 0.0 },
    Budget { case: "my_ticket_list", rounds: 2, calls: 3, reads: 2.5, writes: 0.0 },
    Budget { case: "order_cancel", rounds: 3, calls: 3, reads: 4.0, writes: 8.0 },
    Budget { case: "order_create", rounds: 4, calls: 5, reads: 5.0, writes: 15.0 },
    Budget { case: "order_create_by_shopping_cart", rounds: 4, calls: 5, reads: 5.0, writes: 15.0 },
    Budget { case: "order_detail", rounds: 1, calls: 1, reads: 3.0, writes: 0.0 },
    Budget { case: "order_pay", rounds: 5, calls: 5, reads: 7.0, writes: 26.0 },
    Budget { case: "shopping_cart_add", rounds: 4, calls: 5, reads: 5.0, writes: 2.0 },
    Budget { case: "shopping_cart_del", rounds: 3, calls: 3, reads: 2.0, writes: 2.0 },
    Budget { case: "shopping_cart_info", rounds: 2, calls: 2, reads: 3.0, writes: 0.0 },
    Budget { case: "ticket_detail", rounds: 2, calls: 3, reads: 4.0, writes: 0.0 },
    Budget { case: "ticket_list", rounds: 2, calls: 3, reads: 3.5, writes: 0.0 },
    Budget { case: "ticket_comment_publish", rounds: 4, calls: 5, reads: 3.0, writes: 15.0 },
    Budget { case: "user_erase", rounds: 6, calls: 7, reads: 5.0, writes: 13.0 },
    Budget { case: "user_export", rounds: 5, calls: 5, reads: 3.0, writes: 9.0 },
    Budget { case: "user_follow", rounds: 2, calls: 3, reads: 1.0, writes: 15.0 },
    Budget { case: "user_get_user_info", rounds: 1, calls: 1, reads: 2.0, writes: 0.0 },
    Budget { case: "user_info", rounds: 1, calls: 1, reads: 4.0, writes: 0.0 },
    Budget { case: "user_info (phone)", rounds: 2, calls: 2, reads: 5.0, writes: 0.0 },
    Budget { case: "user_login", rounds: 3, calls: 4, reads: 2.0, writes: 2.0 },
    Budget { case: "user_login (code)", rounds: 3, calls: 4, reads: 3.0, writes: 3.0 },
    Budget { case: "user_logout", rounds: 2, calls: 2, reads: 1.0, writes: 1.0 },
    Budget { case: "user_password_update", rounds: 3, calls: 3, reads: 1.0, writes: 5.0 },
    Budget { case: "user_pic_delete", rounds: 6, calls: 6, reads: 3.0, writes: 10.0 },
    Budget { case: "user_pic_delete (not the cover)", rounds: 4, calls: 4, reads: 2.0, writes: 8.0 },
    Budget { case: "user_pic_detail", rounds: 2, calls: 4, reads: 4.0, writes: 0.0 },
    Budget { case: "user_pic_dir_create", rounds: 2, calls: 3, reads: 1.0, writes: 7.0 },
    Budget { case: "user_pic_dir_delete", rounds: 8, calls: 8, reads: 3.0, writes: 16.0 },
    Budget { case: "user_pic_dir_heartbeat_add", rounds: 2, calls: 3, reads: 1.0, writes: 7.0 },
    Budget { case: "user_pic_dir_heartbeat_list", rounds: 1, calls: 2, reads: 2.0, writes: 0.0 },
    Budget { case: "user_pic_dir_heartbeat_remove", rounds: 2, calls: 2, reads: 1.0, writes: 4.0 },
    Budget { case: "user_pic_dir_list", rounds: 1, calls: 2, reads: 2.0, writes: 0.0 },
    Budget { case: "user_pic_dir_pic_list", rounds: 1, calls: 1, reads: 1.0, writes: 0.0 },
    Budget { case: "user_pic_list", rounds: 1, calls: 1, reads: 1.0, writes: 0.0 },
    Budget { case: "user_pic_upload", rounds: 5, calls: 6, reads: 2.0, writes: 10.0 },
    Budget { case: "user_register", rounds: 2, calls: 2, reads: 0.0, writes: 9.0 },
    Budget { case: "user_signup", rounds: 2, calls: 2, reads: 0.0, writes: 9.0 },
    Budget { case: "user_unfollow", rounds: 3, calls: 3, reads: 2.0, writes: 12.0 },
    Budget { case: "user_update_avator", rounds: 6, calls: 8, reads: 4.0, writes: 11.0 },
    Budget { case: "user_update_info", rounds: 3, calls: 3, reads: 2.0, writes: 4.0 },
    Budget { case: "user_update_info (another e-mail)", rounds: 3, calls: 3, reads: 2.0, writes: 6.0 },
    Budget { case: "user_update_info (no names)", rounds: 2, calls: 2, reads: 1.0, writes: 1.0 },
    Budget { case: "user_update_info (phone)", rounds: 4, calls: 4, reads: 2.0, writes: 9.0 },
    Budget { case: "user_update_user_info", rounds: 2, calls: 2, reads: 1.0, writes: 1.0 },
    Budget { case: "user_update_user_profile_picture", rounds: 6, calls: 8, reads: 4.0, writes: 11.0 },
];

/// What stands before the brackets.
fn operation_of(case: &str) -> &str {
    case.split(" (").next().unwrap_or(case)
}

/// Some of the sample's, as the events name them.
const FELIX: UserId = UserId(129_171_460_096_000);
const HIS_MOUNTAINS: GalleryId = GalleryId(129_171_468_288_000);
const HIS_SECOND_PICTURE_OF_THE_SEA: u64 = 129_171_496_960_000;
const ANNAS_PHONE: &str = "13800138001";
const BOS_PHONE: &str = "13800138002";
/// Felix likes it.
const ANNAS_ARTICLE: ArticleId = ArticleId(129_171_558_400_000);
/// Felix does not.
const KAIS_ARTICLE: ArticleId = ArticleId(129_171_566_592_000);

/// Makes a special case of an operation's sample event, after what it needs. Without brackets: where the event alone
/// would find nothing to do.
async fn make_special(case: &str, test: &Test, event: &mut Value) {
    let store = &test.plaza.app.store;
    let image = async || {
        let image = store.new_media(FELIX, MediaKind::Jpeg).await.unwrap();
        store.media_checked(&image, FELIX, None).await.unwrap();
        image
    };
    // Fields in place of the event's; null is none.
    let fields = match case {
        _ if case.ends_with(" (by device)") => {
            event["headers"].as_object_mut().unwrap().remove("authorization").expect("a token in the sample event");
            event["headers"]["x-device-id"] = sample::DEVICE.into();
            return;
        }
        "article_comment_del (under another's)" => {
            let comment = store.publish_comment(FELIX, ANNAS_ARTICLE, "where?", None).await.unwrap();
            json!({"article_comment_id_list": [comment]})
        }
        "article_publish (images)" => json!({"images": [image().await]}),
        "m_user_likes_post" => json!({"target_id": KAIS_ARTICLE}),
        "m_user_login (with a token)" => {
            event["headers"]["authorization"] = sample::token(FELIX, "sample").into();
            event["headers"]["x-device-id"] = "another-device-of-felix".into();
            return;
        }
        "my_user_info_update (avatar)" => json!({"email": null, "avatar": image().await}),
        "order_cancel" | "order_pay" => {
            json!({"order_id": store.place_order(FELIX, &[501, 502].map(TicketId), false, None).await.unwrap()})
        }
        "ticket_comment_del (the last)" => {
            let comment = store.publish_comment(FELIX, TicketId(101), "Wait for me.", None).await.unwrap();
            json!({"ticket_comment_id_list": [comment]})
        }
        "user_info (phone)" => json!({"to_uid": null, "phone": ANNAS_PHONE}),
        "user_login (code)" => json!({"phone": BOS_PHONE, "password": null, "code": sample::CODE}),
        "user_pic_delete (not the cover)" => json!({"pic_id": HIS_SECOND_PICTURE_OF_THE_SEA}),
        "user_pic_dir_heartbeat_remove" => {
            store.give_heart(FELIX, HIS_MOUNTAINS).await.unwrap();
            return;
        }
        "user_update_info (another e-mail)" => {
            invoke(&test.plaza, event).await;
            json!({"email": "felix@example.org"})
        }
        "user_update_info (no names)" => json!({"email": null}),
        "user_update_info (phone)" => {
            json!({"email": null, "phone": sample::RESERVED_PHONE, "verifycode": sample::CODE})
        }
        _ => return assert!(!case.contains(" ("), "{case}: say here what is special"),
    };
    let mut body: Value = serde_json::from_str(event["body"].as_str().unwrap()).unwrap();
    let body_fields = body.as_object_mut().unwrap();
    body_fields.extend(fields.as_object().unwrap().clone());
    body_fields.retain(|_, value| !value.is_null());
    event["body"] = body.to_string().into();
}

/// What a case costs; the error says why there is nothing to be measured.
async fn cost(case: String, data: TempDir) -> Result<Cost, String> {
    let operation = operation_of(&case);
    let (function, _) = operations().find(|(_, listed)| listed.name == operation).ok_or("is no operation's")?;
    let mut event = events::load(&events::path(function, operation))?;
    let test = Test::on(data.path()).await;
    make_special(&case, &test, &mut event).await;
    // Ids of another millisecond: drawing one that is taken costs another try.
    test.wait(1);
    let (answer, cost) = test.line.meter(invoke(&test.plaza, &event)).await;
    test.plaza.engines.stop().await;
    // Document B has no code where all is well.
    let well = [json!(0), json!(1000), json!("000000"), Value::Null];
    match answer["statusCode"] == 200 && well.contains(&answer["body"]["code"]) {
        true => Ok(cost),
        false => Err(format!("was answered {answer:#}")),
    }
}

/// What each case costs among few others and among many.
async fn costs(cases: &BTreeSet<String>) -> Vec<Result<[Cost; 2], String>> {
    let crowds = join_all(CROWDS.map(|others| tokio::spawn(prepared(others)))).await;
    let crowds: Vec<_> = crowds.into_iter().map(Result::unwrap).collect();
    let costs = stream::iter(cases).map(async |case| {
        let among = |data: &TempDir| tokio::spawn(cost(case.clone(), copied(data.path())));
        let costs = try_join_all(crowds.iter().map(among)).await.unwrap();
        costs.into_iter().collect::<Result<Vec<_>, _>>().map(|costs| costs.try_into().unwrap())
    });
    costs.buffered(2).collect().await
}

/// Rounds, calls, reads, writes.
fn figures(cost: &Cost) -> [f64; 4] {
    // No units at all add up to -0.
    [cost.rounds() as f64, cost.0.len() as f64, cost.read_units(), cost.write_units()].map(|figure| figure + 0.0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_operation_keeps_to_its_budget_in_any_crowd() {
    let held = BUDGETS.iter().map(|budget| budget.case.to_owned());
    let cases: BTreeSet<_> = operations().map(|(_, listed)| listed.name).chain(held).collect();
    let (mut wrong, mut writing) = (vec![], BTreeSet::new());
    let mut did: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    println!("{:40} {:>6} {:>6} {:>6} {:>6}", "operation", "rounds", "calls", "reads", "writes");
    for (case, costs) in cases.iter().zip(costs(&cases).await) {
        let [cost, among_many] = match costs {
            Ok(costs) => costs,
            Err(why) => {
                wrong.push(format!("{case}: {why}"));
                continue;
            }
        };
        let found @ [rounds, calls, reads, writes] = figures(&cost);
        println!("{case:40} {rounds:6} {calls:6} {reads:6.1} {writes:6.1}");
        let line = format!(
            "    Budget {{ case: {case:?}, rounds: {rounds}, calls: {calls}, reads: {reads:.1}, writes: {writes:.1} }},"
        );
        match BUDGETS.iter().find(|budget| budget.case == case) {
            None => wrong.push(format!("{case}: add to BUDGETS\n{line}")),
            Some(budget) => {
                let held = [budget.rounds as f64, budget.calls as f64, budget.reads, budget.writes];
                let changed =
                    if found.iter().zip(held).all(|(found, held)| *found <= held) { "cheaper" } else { "dearer" };
                if found != held {
                    wrong.push(format!("{case}: got {changed}; if that is meant, its line is\n{line}\n{:#?}", cost.0));
                }
            }
        }
        if figures(&among_many) != found {
            let ([few, many], grown) = (CROWDS, &among_many.0);
            wrong.push(format!("{case}: grows with the table: among {few} {:#?}\nand among {many} {grown:#?}", cost.0));
        }
        let reason = LONG_ONES.iter().any(|(long, _)| long == case);
        if (cost.rounds() > ROUNDS) != reason {
            wrong.push(format!(
                "{case}: {rounds} rounds, at most {ROUNDS} without a reason in LONG_ONES, which has no others"
            ));
        }
        let (function, _) = operations().find(|(_, listed)| listed.name == operation_of(case)).unwrap();
        did.entry(function).or_default().extend(cost.0.into_iter().flat_map(|call| call.needs));
        if writes > 0.0 {
            writing.insert(operation_of(case).to_owned());
        }
    }
    // A budget of finding nothing to do would not be one, and what is under test in `deeds` is what writes.
    let deeds = deeds::writing();
    let idle =
        deeds.difference(&writing).map(|name| format!("{name}: writes nothing: say in `make_special` what it can"));
    let more =
        writing.difference(&deeds).map(|name| format!("{name}: writes, as a reader, by GET or in deeds::READING"));
    wrong.extend(idle.chain(more));
    wrong.extend(policies::compare(&did));
    let gone = LONG_ONES.iter().filter(|(case, _)| !cases.contains(*case));
    wrong.extend(gone.map(|(case, _)| format!("{case}: is in LONG_ONES, but has no budget")));
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// A data folder with the sample's people, who came after so many others: so what is newest is the same in any crowd.
async fn prepared(others: usize) -> TempDir {
    const AT_ONCE: usize = 4;
    let data = tempfile::tempdir().unwrap();
    let test = Arc::new(Test::on(data.path()).await);
    test.set_clock(START - 2 * 366 * DAY);
    tokio::select! {
        () = test.plaza.stream.run() => {}
        _ = together((0..AT_ONCE).map(|first| crowd(test.clone(), (first..others).step_by(AT_ONCE)))) => {}
    }
    test.set_clock(START);
    sample::load(&test.plaza, aws::http_client()).await.unwrap();
    test.plaza.deliver().await.unwrap();
    Arc::into_inner(test).unwrap().plaza.engines.stop().await;
    data
}

/// People who have a gallery and an article each, and follow, like and comment on the one before.
async fn crowd(test: Arc<Test>, numbers: impl Iterator<Item = usize>) {
    let store = &test.plaza.app.store;
    let mut before = None;
    for number in numbers {
        test.wait(1);
        let by = SignUp::ThirdParty("qq", format!("openid-{number}"));
        let user = store.create_user(&by, None, Changes::default()).await.unwrap().id;
        let image = MediaId::fresh(&test.plaza.app.system, "jpeg");
        store.own_picture_file(user, &image).await.unwrap();
        let gallery = store.create_gallery(user, "Sea").await.unwrap();
        let empty = store.own_gallery(user, gallery).await.unwrap();
        store.add_picture(user, empty, image.clone()).await.unwrap();
        let article = store.publish_article(user, "The sea at five.", vec![image]).await.unwrap();
        if let Some((other, theirs)) = before.replace((user, article)) {
            store.follow(user, other).await.unwrap();
            store.mark(Mark::Like, user, theirs).await.unwrap();
            store.publish_comment(user, theirs, "Where is that?", None).await.unwrap();
        }
    }
}
