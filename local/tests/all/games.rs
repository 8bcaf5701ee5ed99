//! Document D's games and the design circle's clothes, as a client lives with them.
use serde_json::{Value, json};
use shared::{
    domain::{ArticleId, ClothId, GameId, MediaId, MerchantId, UserId},
    store::{Banner, Cloth, Game, Merchant, Place},
};

use crate::support::{Test, User};

impl User {
    async fn comment(&self, test: &Test, game: u64, content: &str) -> u64 {
        let answer = self.done(test, "game_comment_publish", json!({"game_id": game, "content": content})).await;
        answer["comment_id"].as_u64().unwrap()
    }
}

fn image() -> MediaId {
    MediaId("e4cbdd56-855a-41ee-bcb6-5785abdd6148.jpeg".into())
}

fn game(id: u64, recommended: bool) -> Game {
    Game { game_id: GameId(id), name: format!("game {id}"), image: image(), intro: "of lanterns".into(), recommended }
}

fn cloth(id: u64, merchant: Option<u128>) -> Cloth {
    Cloth {
        cloth_id: ClothId(id),
        merchant_id: merchant.map(MerchantId),
        name: format!("robe {id}"),
        image: image(),
        intro: "of silk".into(),
        price: 2_999,
        dynasty: 1,
        designer_intro: "after a painting".into(),
        recommended: false,
    }
}

async fn import(test: &Test, games: impl IntoIterator<Item = Game>) {
    for game in games {
        test.wait(1);
        test.plaza.app.store.import(&game, false).await.unwrap();
    }
}

#[tokio::test]
async fn a_story_of_a_game() {
    let test = Test::start().await;
    let (anna, bo) = (User::new(&test, "13800138001").await, User::new(&test, "13800138002").await);
    import(&test, [game(1, false), game(2, true), game(3, false)]).await;
    // The recommended one first, then the newest.
    assert_eq!(anna.list(&test, "game_recommend_list", json!({}), "game_id").await, [2, 3, 1]);
    assert_eq!(anna.list(&test, "game_recommend_list", json!({"limit": 1, "offset": 1}), "game_id").await, [3]);

    for _ in 0..2 {
        anna.done(&test, "game_collect", json!({"game_id": 1})).await;
        anna.done(&test, "game_like", json!({"game_id": "1"})).await;
    }
    assert_eq!(anna.list(&test, "game_recommend_list", json!({}), "is_collect").await, [false, false, true]);
    assert_eq!(bo.list(&test, "game_recommend_list", json!({}), "is_collect").await, [false; 3]);
    let detail = anna.done(&test, "game_detail", json!({"game_id": 1})).await["game_detail"].clone();
    let wanted = json!({"game_id": 1, "name": "game 1", "image": image(), "intro": "of lanterns",
        "created_at": detail["created_at"], "is_collect": true});
    assert_eq!(detail, wanted);
    anna.done(&test, "game_uncollect", json!({"game_id": 1})).await;
    anna.done(&test, "game_unlike", json!({"game_id": 1})).await;
    assert_eq!(anna.done(&test, "game_detail", json!({"game_id": 1})).await["game_detail"]["is_collect"], false);

    let first = anna.comment(&test, 1, "who?").await;
    let second = bo.comment(&test, 1, "me").await;
    let third = bo.comment(&test, 1, "tonight").await;
    for (operation, shown) in [
        ("game_comment_up", json!([1, 0, true, false])),
        ("game_comment_up", json!([1, 0, true, false])),
        ("game_comment_down", json!([0, 1, false, true])),
    ] {
        bo.done(&test, operation, json!({"comment_id": first})).await;
        let list = bo.done(&test, "game_comment_list", json!({"game_id": 1, "offset": 2})).await;
        let comment = &list["game_comment_list"][0];
        assert_eq!(json!(["up_count", "down_count", "is_up", "is_down"].map(|field| &comment[field])), shown);
    }
    let list = anna.done(&test, "game_comment_list", json!({"game_id": 1, "offset": 2})).await;
    let seen = &list["game_comment_list"][0];
    let wanted = json!([{
        "comment_id": first, "uid": anna.uid(), "content": "who?", "reply_id": null, "created_at": seen["created_at"],
        "up_count": 0, "down_count": 1, "is_up": false, "is_down": false,
        "author": {"uid": anna.uid(), "nickname": seen["author"]["nickname"], "avatar": null},
    }]);
    assert_eq!(list["game_comment_list"], wanted);

    // Only its author deletes a comment; one that must not go keeps the others.
    for ids in [json!(first), json!([second, first])] {
        bo.call(&test, "game_comment_del", json!({"comment_id": ids})).await.refused(403, 403);
    }
    let comments = async || bo.list(&test, "game_comment_list", json!({"game_id": 1}), "comment_id").await;
    assert_eq!(comments().await, [third, second, first]);
    bo.done(&test, "game_comment_del", json!({"comment_id": second})).await;
    assert_eq!(comments().await, [third, first]);
    // One that is gone is fine; an id may be a text.
    bo.done(&test, "game_comment_del", json!({"comment_id": [second, third.to_string()]})).await;
    assert_eq!(comments().await, [first]);
    anna.done(&test, "game_comment_del", json!({"comment_id": first.to_string()})).await;
    assert_eq!(comments().await, [Value::Null; 0]);
    bo.call(&test, "game_comment_up", json!({"comment_id": first})).await.refused(404, 404);
}

#[tokio::test]
async fn a_withdrawn_game_is_gone_until_it_comes_back() {
    let test = Test::start().await;
    let anna = User::new(&test, "13800138001").await;
    import(&test, [game(1, true), game(2, false)]).await;
    anna.done(&test, "game_collect", json!({"game_id": 1})).await;
    anna.comment(&test, 1, "who?").await;
    test.plaza.app.store.import(&game(1, true), true).await.unwrap();
    assert_eq!(anna.list(&test, "game_recommend_list", json!({}), "game_id").await, [2]);
    for game in [1, 9] {
        for operation in ["game_detail", "game_like", "game_collect", "game_comment_list", "game_comment_publish"] {
            let body = json!({"game_id": game, "content": "hello"});
            anna.call(&test, operation, body).await.refused(404, 404);
        }
        for operation in ["game_unlike", "game_uncollect"] {
            anna.done(&test, operation, json!({"game_id": game})).await;
        }
    }
    test.plaza.app.store.import(&game(1, true), false).await.unwrap();
    assert_eq!(anna.list(&test, "game_recommend_list", json!({}), "game_id").await, [1, 2]);
    assert_eq!(anna.list(&test, "game_comment_list", json!({"game_id": 1}), "content").await, ["who?"]);
}

#[tokio::test]
async fn comments_come_in_pages() {
    let test = Test::start().await;
    let anna = User::new(&test, "13800138001").await;
    import(&test, [game(1, false)]).await;
    let mut written = vec![];
    for number in 0..25 {
        written.insert(0, anna.comment(&test, 1, &format!("comment {number}")).await);
    }
    let page = async |body: Value| {
        let mut of_game = json!({"game_id": 1});
        of_game.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        anna.list(&test, "game_comment_list", of_game, "comment_id").await
    };
    assert_eq!(page(json!({})).await, written[..20]);
    assert_eq!(page(json!({"limit": 10, "offset": 20})).await, written[20..]);
    // What is deleted leaves no gap.
    anna.done(&test, "game_comment_del", json!({"comment_id": written[..5]})).await;
    assert_eq!(page(json!({"limit": 10})).await, written[5..15]);
    assert_eq!(page(json!({"limit": 100})).await, written[5..]);
    for content in [json!(""), json!(" "), json!("x".repeat(1_001)), Value::Null] {
        let body = json!({"game_id": 1, "content": content});
        anna.call(&test, "game_comment_publish", body).await.refused(400, 400);
    }
    for ids in [json!([]), json!("x"), json!({}), json!([1, "x"]), json!(vec![1; 101]), json!(-1), json!(0.5)] {
        let answer = anna.call(&test, "game_comment_del", json!({"comment_id": ids})).await;
        answer.refused(400, 400);
        assert!(answer.message().starts_with("comment_id"), "{answer:?}");
    }
}

/// A comment is voted on and deleted by the operations of what it stands under.
#[tokio::test]
async fn articles_comments_are_not_the_games() {
    let test = Test::start().await;
    let anna = User::new(&test, "13800138001").await;
    import(&test, [game(1, false)]).await;
    let article = anna.done(&test, "article_publish", json!({"content": "the sea"})).await["article_id"].clone();
    let id = ArticleId(article.as_u64().unwrap());
    let under_article = test.plaza.app.store.publish_comment(UserId(anna.id), id, "where?", None).await.unwrap();
    let under_game = anna.comment(&test, 1, "who?").await;
    for operation in ["game_comment_up", "game_comment_down"] {
        anna.call(&test, operation, json!({"comment_id": under_article})).await.refused(404, 404);
    }
    anna.call(&test, "article_comment_up", json!({"article_comment_id": under_game})).await.refused(404, 404);
    anna.done(&test, "game_comment_del", json!({"comment_id": under_article})).await;
    anna.done(&test, "article_comment_del", json!({"article_comment_id_list": [under_game]})).await;
    let of_article = anna.list(&test, "article_comment_list", json!({"article_id": article}), "comment_id").await;
    assert_eq!(of_article, [json!(under_article)]);
    assert_eq!(anna.list(&test, "game_comment_list", json!({"game_id": 1}), "comment_id").await, [under_game]);
}

#[tokio::test]
async fn the_design_circle_shows_its_own_clothes() {
    let test = Test::start().await;
    let (anna, bo) = (User::new(&test, "13800138001").await, User::new(&test, "13800138002").await);
    let store = &test.plaza.app.store;
    let merchant = Merchant {
        merchant_id: MerchantId(1),
        name: "Silk house".into(),
        logo: image(),
        intro: String::new(),
        address: String::new(),
        phone: String::new(),
        email: String::new(),
    };
    store.import(&merchant, false).await.unwrap();
    for cloth in [cloth(1, None), cloth(2, Some(1)), cloth(3, None)] {
        test.wait(1);
        store.import(&cloth, false).await.unwrap();
    }
    for _ in 0..2 {
        anna.done(&test, "design_circle_cloth_collect", json!({"cloth_id": 1})).await;
    }
    let list = anna.done(&test, "design_circle_cloth_list", json!({})).await["design_circle_cloth_list"].clone();
    let shown = |id: u64, at: usize, is_collect: bool| {
        json!({"cloth_id": id, "name": format!("robe {id}"), "image": image(), "intro": "of silk", "price": 2_999,
            "dynasty": 1, "created_at": list[at]["created_at"], "is_collect": is_collect})
    };
    assert_eq!(list, json!([shown(3, 0, false), shown(1, 1, true)]));
    let mut wanted = shown(1, 1, true);
    wanted["designer_intro"] = "after a painting".into();
    let detail = async |user: &User| {
        user.done(&test, "design_circle_cloth_detail", json!({"cloth_id": 1})).await["design_circle_cloth_detail"]
            .clone()
    };
    assert_eq!(detail(&anna).await, wanted);
    assert_eq!(detail(&bo).await["is_collect"], false);
    anna.done(&test, "design_circle_cloth_uncollect", json!({"cloth_id": 1})).await;
    assert_eq!(detail(&anna).await["is_collect"], false);

    // A merchant's, one that is withdrawn, none.
    store.import(&cloth(3, None), true).await.unwrap();
    for id in [2, 3, 9] {
        for operation in ["design_circle_cloth_detail", "design_circle_cloth_collect"] {
            anna.call(&test, operation, json!({"cloth_id": id})).await.refused(404, 404);
        }
        anna.done(&test, "design_circle_cloth_uncollect", json!({"cloth_id": id})).await;
    }
    assert!(!test.items().await.keys().any(|key| key.ends_with("MARK#CLOTH#0000000000000002")));
}

#[tokio::test]
async fn both_have_banners() {
    let test = Test::start().await;
    let anna = User::new(&test, "13800138001").await;
    let places = [(Place::Game, 1), (Place::Game, 2), (Place::DesignCircle, 3), (Place::Home, 4)];
    for (place, banner_id) in places {
        let banner = Banner { banner_id, image: image(), url: "https://example.com/".into() };
        test.plaza.app.store.import_banner(place, &banner, false).await.unwrap();
    }
    let shown = |id: u64| json!({"banner_id": id, "image": image(), "url": "https://example.com/"});
    let games = json!([shown(2), shown(1)]);
    let answer = anna.done(&test, "game_banner", json!({})).await;
    assert_eq!(answer, json!({"code": 0, "design_circle_banner": games, "game_banner": games}));
    let answer = anna.done(&test, "design_circle_banner", json!({})).await;
    assert_eq!(answer, json!({"code": 0, "design_circle_banner": [shown(3)]}));
}
