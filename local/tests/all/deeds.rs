//! What a community does, under the faults of [`crate::faults`].
use std::{
    collections::{BTreeMap, BTreeSet},
    marker::PhantomData,
    panic,
    sync::OnceLock,
};

use http::{Method, Request};
use serde_json::{Value, json};
use shared::{
    domain::{
        ArticleId, ClothId, CommentId, DeviceId, GameId, MINUTE, MasterId, MediaId, MediaKind, MerchantId, Password,
        Side, StoredPassword, Subject, SubjectKind, TicketId, UserId,
    },
    store::{Changes, Cloth, Game, Mark, SignUp, Vote, keys},
};

use crate::{
    catalogue_deeds,
    faults::{self, Deed, Items, deeds, place_of, raw},
    gallery_deeds,
    masters::{batch, cloth, master, merchant, project},
    support::{Answer, PAUSE, Test, operations},
};

const PHONE: &str = "13800138001";
const DEVICE: &str = "device-of-a-member-1";
const REVIEWER: &str = "reviewer";

deeds! {
    user_signup: SigningUp;
    user_login_by_code: LogInByCode;
    user_password_update: ResetPassword;
    my_user_info_update: In<UpdateInfo>;
    user_follow: In<Follow>;
    user_unfollow: In<Unfollow>;
    user_logout: In<LogOut>;
    user_erase: In<Erase>;
    user_export: In<Export>;
    user_erase_by_code: EraseByCode;
    article_publish: In<Publish>;
    article_publish_with_an_image: In<PublishImage>;
    article_del: In<Delete>;
    article_like: In<Like>;
    article_unlike: In<Unlike>;
    article_collect: In<Collect>;
    article_uncollect: In<Uncollect>;
    article_comment_publish: In<Comment>;
    article_comment_reply: In<Reply>;
    article_comment_up: In<Up>;
    article_comment_del: In<DeleteComments>;
    game_like: In<LikeGame>;
    game_unlike: In<UnlikeGame>;
    game_collect: In<CollectGame>;
    game_uncollect: In<UncollectGame>;
    game_comment_publish: In<CommentGame>;
    game_comment_up: In<UpInGame>;
    game_comment_down: In<DownInGame>;
    game_comment_del: In<DeleteGameComments>;
    ticket_comment_publish: In<CommentTicket>;
    ticket_comment_del: In<DeleteTicketComments>;
    order_create: In<OrderTicket>;
    order_create_by_shopping_cart: In<OrderFromCart>;
    order_cancel: In<CancelOrder>;
    order_pay: In<PayOrder>;
    shopping_cart_add: In<AddToCart>;
    shopping_cart_del: In<RemoveFromCart>;
    design_circle_cloth_collect: In<CollectCloth>;
    design_circle_cloth_uncollect: In<UncollectCloth>;
    get_media_id: In<NameMedia>;
    master_follow: In<FollowMaster>;
    master_unfollow: In<UnfollowMaster>;
    merchant_follow: In<FollowMerchant>;
    merchant_unfollow: In<UnfollowMerchant>;
    merchant_cloth_collect: In<CollectMerchantCloth>;
    merchant_cloth_uncollect: In<UncollectMerchantCloth>;
    send_message_to_user: In<WriteToUser>;
    send_message_to_master: In<WriteToMaster>;
    send_message_to_merchant: In<WriteToMerchant>;
    send_message_to_customer_service: In<WriteToService>;
    message_del: In<DeleteMessages>;
    m_user_login_with_a_token: In<Tie>;
    m_user_users_post: RegisterDevice;
    m_user_users_patch: In<Patch>;
    m_user_users_put: In<Put>;
    m_user_likes_post: In<LikePost>;
    m_user_likes_delete: In<UnlikePost>;
    m_user_comments_post: In<CommentPost>;
    m_user_feedbacks: In<Feedback>;
    m_user_user_tracks: In<Tracks>;
    m_user_audit_login: Review;
}

/// What may write as far as its caller goes, but does not, and why.
const READING: &[(&str, &str)] = &[("current_time", "tells the time, to anybody")];

/// The operations that write.
pub fn writing() -> BTreeSet<String> {
    let reading = |name: &str| READING.iter().any(|(reading, _)| *reading == name);
    let listed = operations().map(|(_, listed)| listed);
    let writing = listed.filter(|listed| !listed.reads_only && listed.method != Method::GET && !reading(&listed.name));
    writing.map(|listed| listed.name).collect()
}

/// Anna has published an article with an image, and commented on it; Bo is the one who does something.
struct Scene {
    anna: UserId,
    bo: UserId,
    token: String,
    article: ArticleId,
    comment: u64,
    /// An image of Bo's.
    image: MediaId,
    /// What the deed is done to, where that is none of these.
    targets: Vec<u64>,
}

/// A user without a password: hashing one is most of what making a user takes.
async fn person(test: &Test, name: &str) -> UserId {
    test.wait(1);
    let by = SignUp::ThirdParty("qq", name.to_owned());
    test.plaza.app.store.create_user(&by, None, Changes::default()).await.unwrap().id
}

pub async fn image(test: &Test, owner: UserId) -> MediaId {
    let store = &test.plaza.app.store;
    let image = store.new_media(owner, MediaKind::Jpeg).await.unwrap();
    store.media_checked(&image, owner, None).await.unwrap();
    image
}

impl Scene {
    async fn new(test: &Test) -> Self {
        let app = &test.plaza.app;
        let (anna, bo) = (person(test, "anna").await, person(test, "bo").await);
        let token = app.new_token(&app.store.log_in_vouched(bo).await.unwrap()).unwrap().0;
        let images = vec![image(test, anna).await];
        test.wait(1);
        let article = app.store.publish_article(anna, "the sea", images).await.unwrap();
        let scene = Self { anna, bo, token, article, comment: 0, image: image(test, bo).await, targets: vec![] };
        let comment = scene.comment(test, anna).await;
        Self { comment, ..scene }
    }

    async fn comment(&self, test: &Test, user: UserId) -> u64 {
        // Ids of another millisecond sort by time.
        test.wait(1);
        test.plaza.app.store.publish_comment(user, self.article, "where?", None).await.unwrap().0
    }

    async fn mark(&self, test: &Test, mark: Mark) {
        test.wait(1);
        test.plaza.app.store.mark(mark, self.bo, self.article).await.unwrap();
    }

    /// As Bo.
    async fn call(&self, test: &Test, method: &str, path: &str, body: Value) -> Answer {
        call(test, &[("authorization", &self.token)], method, path, body).await
    }

    /// Reads something of document D as Bo.
    async fn read(&self, test: &Test, operation: &str, body: Value) -> Value {
        let mut answer = self.call(test, "POST", &format!("/{operation}"), body).await;
        assert_eq!(answer.code(), "0", "{operation}: {answer:?}");
        answer.body[operation].take()
    }

    /// Bo's view of the article, found to count as many comments, likes and collects as it lists.
    async fn detail(&self, test: &Test) -> Value {
        let detail = self.read(test, "article_detail", json!({"article_id": self.article.0})).await;
        for (count, list) in [
            ("comment_count", "comment_list"),
            ("like_count", "like_user_list"),
            ("collect_count", "collect_user_list"),
        ] {
            assert_eq!(detail[count], detail[list].as_array().unwrap().len(), "{detail:#}");
        }
        detail
    }

    /// The texts of a list of articles, each once.
    async fn texts(&self, test: &Test, list: &str) -> Vec<String> {
        let list = self.read(test, list, json!({})).await;
        let texts = list.as_array().unwrap().iter().map(|article| article["content"].as_str().unwrap().to_owned());
        // A deed that was done without our being told so is done again: then it is there twice.
        let mut texts: Vec<_> = texts.collect();
        texts.dedup();
        texts
    }
}

async fn call(test: &Test, headers: &[(&str, &str)], method: &str, path: &str, body: Value) -> Answer {
    let request = Request::builder().method(method).header("content-type", "application/json");
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let body = if body.is_null() { String::new() } else { body.to_string() };
    test.send(request, path, body).await
}

/// Something that Bo does in the scene.
trait ByBo: 'static {
    const DONE_BEFORE: Option<&str> = None;
    const ENDS: bool = false;
    const IN_PARTS: bool = false;
    /// Method and path; `{me}` is Bo.
    const ROUTE: (&str, &str);
    /// Called by this device, too.
    const DEVICE: Option<&str> = None;

    /// What has to be there before.
    async fn prepare(_: &mut Scene, _: &Test) {}
    fn body(scene: &Scene) -> Value;
    async fn shows(scene: &Scene, test: &Test);
}

struct In<D> {
    scene: Scene,
    deed: PhantomData<D>,
}

impl<D: ByBo> Deed for In<D> {
    const DONE_BEFORE: Option<&str> = D::DONE_BEFORE;
    const PASSED_OVER: usize = 1;
    const ENDS: bool = D::ENDS;
    const IN_PARTS: bool = D::IN_PARTS;

    async fn prepare(test: &Test) -> Self {
        let mut scene = Scene::new(test).await;
        D::prepare(&mut scene, test).await;
        test.wait(1);
        Self { scene, deed: PhantomData }
    }
    async fn act(&self, test: &Test) -> Answer {
        let (method, path) = D::ROUTE;
        let path = path.replace("{me}", &self.scene.bo.0.to_string());
        let token = ("authorization", &*self.scene.token);
        let headers: Vec<_> = [Some(token), D::DEVICE.map(|id| ("x-device-id", id))].into_iter().flatten().collect();
        call(test, &headers, method, &path, D::body(&self.scene)).await
    }
    async fn shows(&self, test: &Test) {
        D::shows(&self.scene, test).await;
    }
}

struct UpdateInfo;

impl ByBo for UpdateInfo {
    const ROUTE: (&str, &str) = ("POST", "/my_user_info_update");

    fn body(scene: &Scene) -> Value {
        json!({"intro": "hi", "gender": 1, "avatar": scene.image, "email": "bo@example.com"})
    }
    async fn shows(scene: &Scene, test: &Test) {
        let me = scene.read(test, "my_user_info", json!({})).await;
        let shown = ["intro", "gender", "avatar", "email"].map(|field| &me[field]);
        assert_eq!(json!(shown), json!(["hi", 1, scene.image, "bo@example.com"]));
    }
}

struct Follow;

impl ByBo for Follow {
    const ROUTE: (&str, &str) = ("POST", "/user_follow");

    fn body(scene: &Scene) -> Value {
        json!({"to_uid": scene.anna})
    }
    async fn shows(scene: &Scene, test: &Test) {
        let followees = scene.read(test, "my_following_users", json!({})).await;
        assert_eq!(followees.as_array().unwrap().len(), 1);
        assert_eq!(followees[0]["uid"], format!("{:032x}", scene.anna.0));
        assert_eq!(scene.read(test, "my_user_info", json!({})).await["follow_count"], 1);
        test.plaza.deliver().await.unwrap();
        assert_eq!(scene.texts(test, "following_article_list").await, ["the sea"]);
    }
}

struct Unfollow;

impl ByBo for Unfollow {
    const ROUTE: (&str, &str) = ("POST", "/user_unfollow");

    async fn prepare(scene: &mut Scene, test: &Test) {
        test.wait(1);
        test.plaza.app.store.follow(scene.bo, scene.anna).await.unwrap();
    }
    fn body(scene: &Scene) -> Value {
        json!({"to_uid": scene.anna})
    }
    async fn shows(scene: &Scene, test: &Test) {
        assert_eq!(scene.read(test, "my_following_users", json!({})).await, json!([]));
        assert_eq!(scene.read(test, "my_user_info", json!({})).await["follow_count"], 0);
        test.plaza.deliver().await.unwrap();
        assert_eq!(scene.texts(test, "following_article_list").await, [""; 0]);
    }
}

struct LogOut;

impl ByBo for LogOut {
    /// The token has ended.
    const DONE_BEFORE: Option<&str> = Some("401");
    const ROUTE: (&str, &str) = ("POST", "/user_logout");

    fn body(_: &Scene) -> Value {
        json!({})
    }
    async fn shows(scene: &Scene, test: &Test) {
        scene.call(test, "POST", "/my_user_info", json!({})).await.refused(401, 401);
    }
}

/// Who came through a third party has neither phone nor password; with a device, and a comment of theirs.
struct Erase;

impl ByBo for Erase {
    /// The token has ended.
    const DONE_BEFORE: Option<&str> = Some("401");
    const ENDS: bool = true;
    const ROUTE: (&str, &str) = ("POST", "/user_erase");

    async fn prepare(scene: &mut Scene, test: &Test) {
        let store = &test.plaza.app.store;
        let session = store.log_in_vouched(scene.bo).await.unwrap().session();
        store.tie_device(&DeviceId::parse(DEVICE).unwrap(), &session).await.unwrap();
        scene.comment(test, scene.bo).await;
    }
    fn body(_: &Scene) -> Value {
        json!({})
    }
    async fn shows(scene: &Scene, test: &Test) {
        let bo = format!("/m_user/users/{}", scene.bo.0);
        scene.call(test, "GET", &bo, Value::Null).await.refused(401, 401);
        by_device(test).await.refused(400, 1001);
        test.wait(2 * MINUTE);
        assert_eq!(leaving::handle(&test.plaza.app, u64::MAX).await.erased, 1);
        let anna = test.plaza.app.store.log_in_vouched(scene.anna).await.unwrap();
        let token = test.plaza.app.new_token(&anna).unwrap().0;
        call(test, &[("authorization", &token)], "GET", &bo, Value::Null).await.refused(404, 404);
        let detail = test.json_as(&token, "/article_detail", json!({"article_id": scene.article})).await;
        assert_eq!(detail.body["article_detail"]["comment_count"], 1, "{detail:?}");
    }
}

/// What Bo has is told.
struct Export;

impl ByBo for Export {
    const ENDS: bool = true;
    const ROUTE: (&str, &str) = ("POST", "/user_export");

    fn body(_: &Scene) -> Value {
        json!({})
    }
    async fn shows(scene: &Scene, test: &Test) {
        assert_eq!(leaving::handle(&test.plaza.app, u64::MAX).await.exported, 1);
        let answer = scene.call(test, "POST", "/user_export", json!({})).await;
        let (status, _, file) = test.fetch(answer.body["url"].as_str().unwrap()).await;
        assert_eq!(status, 200);
        let file: Value = serde_json::from_slice(&file).unwrap();
        assert_eq!(file["profile"][0]["uid"], format!("{:032x}", scene.bo.0));
    }
}

struct Publish;

impl ByBo for Publish {
    const ROUTE: (&str, &str) = ("POST", "/article_publish");

    fn body(_: &Scene) -> Value {
        json!({"content": "the hills"})
    }
    async fn shows(scene: &Scene, test: &Test) {
        assert_eq!(scene.texts(test, "article_list").await, ["the hills", "the sea"]);
        assert_eq!(scene.texts(test, "my_article_list").await, ["the hills"]);
    }
}

struct PublishImage;

impl ByBo for PublishImage {
    const ROUTE: (&str, &str) = ("POST", "/article_publish");

    fn body(scene: &Scene) -> Value {
        json!({"content": "the hills", "images": [scene.image]})
    }
    async fn shows(scene: &Scene, test: &Test) {
        Publish::shows(scene, test).await;
        let homepage = scene.call(test, "GET", &format!("/m_user/users/{}/homepage", scene.bo.0), Value::Null).await;
        assert_eq!(homepage.body["posts"][0]["post_type"], "picture", "{homepage:?}");
    }
}

/// Two, one with an image; what hangs on them goes a moment later.
struct Delete;

impl ByBo for Delete {
    const ROUTE: (&str, &str) = ("POST", "/article_del");

    async fn prepare(scene: &mut Scene, test: &Test) {
        let store = &test.plaza.app.store;
        for images in [vec![], vec![scene.image.clone()]] {
            test.wait(1);
            let article = store.publish_article(scene.bo, "the hills", images).await.unwrap();
            test.wait(1);
            store.mark(Mark::Collect, scene.anna, article).await.unwrap();
            test.wait(1);
            store.publish_comment(scene.anna, article, "when?", None).await.unwrap();
            scene.targets.push(article.0);
        }
    }
    fn body(scene: &Scene) -> Value {
        json!({"article_id_list": scene.targets})
    }
    async fn shows(scene: &Scene, test: &Test) {
        assert_eq!(scene.texts(test, "article_list").await, ["the sea"]);
        assert_eq!(scene.texts(test, "my_article_list").await, [""; 0]);
        test.plaza.deliver().await.unwrap();
        let left = test.items().await;
        let hangs = |key: &&String| scene.targets.iter().any(|article| key.starts_with(&format!("A#{article:016}")));
        assert_eq!(left.keys().find(hangs), None);
    }
}

struct Like;

impl ByBo for Like {
    const ROUTE: (&str, &str) = ("POST", "/article_like");

    fn body(scene: &Scene) -> Value {
        json!({"article_id": scene.article})
    }
    async fn shows(scene: &Scene, test: &Test) {
        let detail = scene.detail(test).await;
        assert_eq!((&detail["is_like"], &detail["like_count"]), (&json!(true), &json!(1)));
    }
}

struct Unlike;

impl ByBo for Unlike {
    const ROUTE: (&str, &str) = ("POST", "/article_unlike");

    async fn prepare(scene: &mut Scene, test: &Test) {
        scene.mark(test, Mark::Like).await;
    }
    fn body(scene: &Scene) -> Value {
        json!({"article_id": scene.article})
    }
    async fn shows(scene: &Scene, test: &Test) {
        let detail = scene.detail(test).await;
        assert_eq!((&detail["is_like"], &detail["like_count"]), (&json!(false), &json!(0)));
    }
}

struct Collect;

impl ByBo for Collect {
    const ROUTE: (&str, &str) = ("POST", "/article_collect");

    fn body(scene: &Scene) -> Value {
        json!({"article_id": scene.article})
    }
    async fn shows(scene: &Scene, test: &Test) {
        let detail = scene.detail(test).await;
        assert_eq!((&detail["is_collect"], &detail["collect_count"]), (&json!(true), &json!(1)));
        assert_eq!(scene.texts(test, "my_article_collect_list").await, ["the sea"]);
    }
}

/// What is liked as well, and stays so.
struct Uncollect;

impl ByBo for Uncollect {
    const ROUTE: (&str, &str) = ("POST", "/article_uncollect");

    async fn prepare(scene: &mut Scene, test: &Test) {
        scene.mark(test, Mark::Like).await;
        scene.mark(test, Mark::Collect).await;
    }
    fn body(scene: &Scene) -> Value {
        json!({"article_id": scene.article})
    }
    async fn shows(scene: &Scene, test: &Test) {
        let detail = scene.detail(test).await;
        assert_eq!((&detail["is_collect"], &detail["collect_count"]), (&json!(false), &json!(0)));
        assert_eq!(detail["is_like"], true);
        assert_eq!(scene.texts(test, "my_article_collect_list").await, [""; 0]);
    }
}

struct Comment;

impl ByBo for Comment {
    const ROUTE: (&str, &str) = ("POST", "/article_comment_publish");

    fn body(scene: &Scene) -> Value {
        json!({"article_id": scene.article, "content": "there"})
    }
    async fn shows(scene: &Scene, test: &Test) {
        assert_eq!(scene.detail(test).await["comment_list"][0]["content"], "there");
    }
}

struct Reply;

impl ByBo for Reply {
    const ROUTE: (&str, &str) = ("POST", "/article_comment_reply");

    fn body(scene: &Scene) -> Value {
        let first = scene.comment;
        json!({"article_id": scene.article, "reply_id": first, "first_reply_id": first, "content": "there"})
    }
    async fn shows(scene: &Scene, test: &Test) {
        let comment = &scene.detail(test).await["comment_list"][0];
        assert_eq!((&comment["content"], &comment["reply_id"]), (&json!("there"), &json!(scene.comment)));
    }
}

struct Up;

impl ByBo for Up {
    const ROUTE: (&str, &str) = ("POST", "/article_comment_up");

    fn body(scene: &Scene) -> Value {
        json!({"article_comment_id": scene.comment})
    }
    async fn shows(scene: &Scene, test: &Test) {
        let comment = &scene.detail(test).await["comment_list"][0];
        assert_eq!((&comment["is_up"], &comment["up_count"]), (&json!(true), &json!(1)));
    }
}

/// Two of Bo's.
struct DeleteComments;

impl ByBo for DeleteComments {
    const IN_PARTS: bool = true;
    const ROUTE: (&str, &str) = ("POST", "/article_comment_del");

    async fn prepare(scene: &mut Scene, test: &Test) {
        for _ in 0..2 {
            scene.targets.push(scene.comment(test, scene.bo).await);
        }
    }
    fn body(scene: &Scene) -> Value {
        json!({"article_comment_id_list": scene.targets})
    }
    async fn shows(scene: &Scene, test: &Test) {
        let detail = scene.detail(test).await;
        let comments = detail["comment_list"].as_array().unwrap();
        assert_eq!(comments.iter().map(|comment| &comment["comment_id"]).collect::<Vec<_>>(), [scene.comment]);
    }
}

const GAME: GameId = GameId(7);
const CLOTH: ClothId = ClothId(8);
const TICKET: TicketId = TicketId(9);

/// The same each time, as all that operators bring.
fn operators_image() -> MediaId {
    MediaId("e4cbdd56-855a-41ee-bcb6-5785abdd6148.jpeg".into())
}

impl Scene {
    /// Operators bring a game.
    async fn game(&self, test: &Test) {
        let (name, intro, image) = ("Lanterns".into(), String::new(), operators_image());
        let game = Game { game_id: GAME, name, image, intro, recommended: false };
        test.plaza.app.store.import(&game, false).await.unwrap();
    }

    /// Operators bring a piece of the design circle's.
    async fn cloth(&self, test: &Test) {
        let cloth = Cloth {
            cloth_id: CLOTH,
            merchant_id: None,
            name: "Robe".into(),
            image: operators_image(),
            intro: String::new(),
            price: 1,
            dynasty: 1,
            designer_intro: String::new(),
            recommended: false,
        };
        test.plaza.app.store.import(&cloth, false).await.unwrap();
    }

    /// Operators bring a ticket.
    async fn ticket(&self, test: &Test) {
        let store = &test.plaza.app.store;
        store.import(&master(1), false).await.unwrap();
        store.import(&project(1, 1), false).await.unwrap();
        store.import_tickets(&batch(TICKET.0, 1, 1), false).await.unwrap();
    }

    async fn comment_on(&self, test: &Test, subject: impl Into<Subject>, user: UserId) -> u64 {
        test.wait(1);
        test.plaza.app.store.publish_comment(user, subject, "who?", None).await.unwrap().0
    }

    /// A count that is not shown.
    async fn count(&self, test: &Test, subject: impl Into<Subject>, name: &str) -> String {
        let head = keys::head(subject);
        test.items().await[&format!("{} / {}", head.pk, head.sk)][name].as_n().unwrap().clone()
    }

    /// Bo's view of the only game, found to be the same in the list.
    async fn seen_game(&self, test: &Test) -> Value {
        let detail = self.read(test, "game_detail", json!({"game_id": GAME})).await;
        assert_eq!(self.read(test, "game_recommend_list", json!({})).await, json!([detail]));
        detail
    }

    async fn game_comments(&self, test: &Test) -> Value {
        self.read(test, "game_comment_list", json!({"game_id": GAME})).await
    }

    /// Bo orders the only ticket.
    async fn order(&mut self, test: &Test) {
        self.ticket(test).await;
        test.wait(1);
        let order = test.plaza.app.store.place_order(self.bo, &[TICKET], false, None).await.unwrap();
        self.targets.push(order.0);
    }

    async fn order_statuses(&self, test: &Test) -> Vec<Value> {
        let orders = self.read(test, "my_order_list", json!({})).await;
        orders.as_array().unwrap().iter().map(|order| order["status"].clone()).collect()
    }

    async fn ticket_comments(&self, test: &Test) -> Value {
        self.read(test, "ticket_comment_list", json!({"ticket_id": TICKET})).await
    }

    /// The circle's last comments.
    async fn last_words(&self, test: &Test) -> Vec<Value> {
        let circle = self.read(test, "ticket_circle", json!({})).await;
        circle.as_array().unwrap().iter().map(|talk| talk["last_comment"]["content"].clone()).collect()
    }
}

struct OrderTicket;

impl ByBo for OrderTicket {
    // Held by the first one. (An `Idempotency-Key` would tell them apart.)
    const DONE_BEFORE: Option<&str> = Some("409");
    const ROUTE: (&str, &str) = ("POST", "/order_create");

    async fn prepare(scene: &mut Scene, test: &Test) {
        scene.ticket(test).await;
    }
    fn body(_: &Scene) -> Value {
        json!({"ticket_id_list": [TICKET]})
    }
    async fn shows(scene: &Scene, test: &Test) {
        assert_eq!(scene.order_statuses(test).await, [0]);
        assert_eq!(scene.read(test, "ticket_list", json!({"project_id": 1})).await, json!([]));
    }
}

struct OrderFromCart;

impl ByBo for OrderFromCart {
    const DONE_BEFORE: Option<&str> = Some("409");
    const ROUTE: (&str, &str) = ("POST", "/order_create_by_shopping_cart");

    async fn prepare(scene: &mut Scene, test: &Test) {
        scene.ticket(test).await;
        test.plaza.app.store.add_to_cart(scene.bo, TICKET).await.unwrap();
    }
    fn body(_: &Scene) -> Value {
        json!({"ticket_id_list": [TICKET]})
    }
    async fn shows(scene: &Scene, test: &Test) {
        assert_eq!(scene.order_statuses(test).await, [0]);
        assert_eq!(scene.read(test, "shopping_cart_info", json!({})).await, json!([]));
    }
}

struct CancelOrder;

impl ByBo for CancelOrder {
    const ENDS: bool = true;
    const ROUTE: (&str, &str) = ("POST", "/order_cancel");

    async fn prepare(scene: &mut Scene, test: &Test) {
        scene.order(test).await;
    }
    fn body(scene: &Scene) -> Value {
        json!({"order_id": scene.targets[0]})
    }
    async fn shows(scene: &Scene, test: &Test) {
        assert_eq!(scene.order_statuses(test).await, [2]);
        let open = scene.read(test, "ticket_list", json!({"project_id": 1})).await;
        assert_eq!(open.as_array().unwrap().len(), 1);
    }
}

struct PayOrder;

impl ByBo for PayOrder {
    // Before the provider is asked, and after.
    const IN_PARTS: bool = true;
    const ROUTE: (&str, &str) = ("POST", "/order_pay");

    async fn prepare(scene: &mut Scene, test: &Test) {
        scene.order(test).await;
    }
    fn body(scene: &Scene) -> Value {
        json!({"order_id": scene.targets[0]})
    }
    async fn shows(scene: &Scene, test: &Test) {
        assert_eq!(scene.order_statuses(test).await, [1]);
        assert_eq!(scene.read(test, "my_ticket_list", json!({})).await[0]["ticket_id"], TICKET.0);
        assert_eq!(scene.read(test, "project_detail", json!({"project_id": 1})).await["ticket_count"], 0);
    }
}

struct AddToCart;

impl ByBo for AddToCart {
    const ROUTE: (&str, &str) = ("POST", "/shopping_cart_add");

    async fn prepare(scene: &mut Scene, test: &Test) {
        scene.ticket(test).await;
    }
    fn body(_: &Scene) -> Value {
        json!({"ticket_id": TICKET})
    }
    async fn shows(scene: &Scene, test: &Test) {
        assert_eq!(scene.read(test, "shopping_cart_info", json!({})).await.as_array().unwrap().len(), 1);
    }
}

struct RemoveFromCart;

impl ByBo for RemoveFromCart {
    const ROUTE: (&str, &str) = ("POST", "/shopping_cart_del");

    async fn prepare(scene: &mut Scene, test: &Test) {
        scene.ticket(test).await;
        test.plaza.app.store.add_to_cart(scene.bo, TICKET).await.unwrap();
    }
    fn body(_: &Scene) -> Value {
        json!({"ticket_id": TICKET})
    }
    async fn shows(scene: &Scene, test: &Test) {
        assert_eq!(scene.read(test, "shopping_cart_info", json!({})).await, json!([]));
    }
}

/// Answers Anna.
struct WriteToUser;

impl ByBo for WriteToUser {
    const ROUTE: (&str, &str) = ("POST", "/send_message_to_user");

    async fn prepare(scene: &mut Scene, test: &Test) {
        test.wait(1);
        test.plaza.app.store.send_message(scene.anna, scene.bo.into(), "hello?").await.unwrap();
    }
    fn body(scene: &Scene) -> Value {
        json!({"to_uid": scene.anna, "content": "hello!"})
    }
    async fn shows(scene: &Scene, test: &Test) {
        let anna = json!(format!("{:032x}", scene.anna.0));
        scene.wrote(test, &[("hello!", anna)]).await;
    }
}

struct WriteToMaster;

impl ByBo for WriteToMaster {
    const ROUTE: (&str, &str) = ("POST", "/send_message_to_master");

    async fn prepare(_: &mut Scene, test: &Test) {
        test.plaza.app.store.import(&master(1), false).await.unwrap();
    }
    fn body(_: &Scene) -> Value {
        json!({"master_id": MasterId(1), "content": "x".repeat(601)})
    }
    async fn shows(scene: &Scene, test: &Test) {
        scene.wrote(test, &[(&"x".repeat(601), json!(MasterId(1)))]).await;
    }
}

struct WriteToMerchant;

impl ByBo for WriteToMerchant {
    const ROUTE: (&str, &str) = ("POST", "/send_message_to_merchant");

    async fn prepare(_: &mut Scene, test: &Test) {
        shop(test).await;
    }
    fn body(_: &Scene) -> Value {
        json!({"merchant_id": MERCHANT, "content": "hello!"})
    }
    async fn shows(scene: &Scene, test: &Test) {
        scene.wrote(test, &[("hello!", json!(MERCHANT))]).await;
    }
}

struct WriteToService;

impl ByBo for WriteToService {
    const ROUTE: (&str, &str) = ("POST", "/send_message_to_customer_service");

    fn body(_: &Scene) -> Value {
        json!({"content": "hello!"})
    }
    async fn shows(scene: &Scene, test: &Test) {
        scene.wrote(test, &[("hello!", json!("customer_service"))]).await;
    }
}

/// The newest of one conversation, and all of another.
struct DeleteMessages;

impl ByBo for DeleteMessages {
    const IN_PARTS: bool = true;
    const ROUTE: (&str, &str) = ("POST", "/message_del");

    async fn prepare(scene: &mut Scene, test: &Test) {
        let store = &test.plaza.app.store;
        let (anna, service) = (Side::User(scene.anna), Side::CustomerService);
        for (side, content, goes) in [(anna, "stays", false), (anna, "goes", true), (service, "goes", true)] {
            test.wait(1);
            let id = store.send_message(scene.bo, side, content).await.unwrap();
            scene.targets.extend(goes.then_some(id.0));
        }
    }
    fn body(scene: &Scene) -> Value {
        json!({"message_id_list": scene.targets})
    }
    async fn shows(scene: &Scene, test: &Test) {
        scene.wrote(test, &[("stays", json!(format!("{:032x}", scene.anna.0)))]).await;
    }
}

impl Scene {
    /// Bo's conversations are so many, each with this last message to somebody.
    async fn wrote(&self, test: &Test, wanted: &[(&str, Value)]) {
        let center = self.read(test, "my_message_center", json!({})).await;
        let last = center.as_array().unwrap().iter().map(|talk| &talk["last_message"]);
        let found: Vec<_> = last.map(|last| (last["content"].as_str().unwrap(), last["to_id"].clone())).collect();
        assert_eq!(found, wanted, "{center:#}");
    }
}

struct LikeGame;

impl ByBo for LikeGame {
    const ROUTE: (&str, &str) = ("POST", "/game_like");

    async fn prepare(scene: &mut Scene, test: &Test) {
        scene.game(test).await;
    }
    fn body(_: &Scene) -> Value {
        json!({"game_id": GAME})
    }
    async fn shows(scene: &Scene, test: &Test) {
        assert_eq!(scene.count(test, GAME, "like_count").await, "1");
    }
}

struct UnlikeGame;

impl ByBo for UnlikeGame {
    const ROUTE: (&str, &str) = ("POST", "/game_unlike");

    async fn prepare(scene: &mut Scene, test: &Test) {
        scene.game(test).await;
        test.wait(1);
        test.plaza.app.store.mark(Mark::Like, scene.bo, GAME).await.unwrap();
    }
    fn body(_: &Scene) -> Value {
        json!({"game_id": GAME})
    }
    async fn shows(scene: &Scene, test: &Test) {
        assert_eq!(scene.count(test, GAME, "like_count").await, "0");
    }
}

struct CollectGame;

impl ByBo for CollectGame {
    const ROUTE: (&str, &str) = ("POST", "/game_collect");

    async fn prepare(scene: &mut Scene, test: &Test) {
        scene.game(test).await;
    }
    fn body(_: &Scene) -> Value {
        json!({"game_id": GAME})
    }
    async fn shows(scene: &Scene, test: &Test) {
        assert_eq!(scene.seen_game(test).await["is_collect"], true);
        assert_eq!(scene.count(test, GAME, "collect_count").await, "1");
    }
}

/// What is liked as well, and stays so.
struct UncollectGame;

impl ByBo for UncollectGame {
    const ROUTE: (&str, &str) = ("POST", "/game_uncollect");

    async fn prepare(scene: &mut Scene, test: &Test) {
        scene.game(test).await;
        for mark in [Mark::Like, Mark::Collect] {
            test.wait(1);
            test.plaza.app.store.mark(mark, scene.bo, GAME).await.unwrap();
        }
    }
    fn body(_: &Scene) -> Value {
        json!({"game_id": GAME})
    }
    async fn shows(scene: &Scene, test: &Test) {
        assert_eq!(scene.seen_game(test).await["is_collect"], false);
        assert_eq!(scene.count(test, GAME, "collect_count").await, "0");
        assert_eq!(scene.count(test, GAME, "like_count").await, "1");
    }
}

struct CommentGame;

impl ByBo for CommentGame {
    const ROUTE: (&str, &str) = ("POST", "/game_comment_publish");

    async fn prepare(scene: &mut Scene, test: &Test) {
        scene.game(test).await;
        scene.comment_on(test, GAME, scene.anna).await;
    }
    fn body(_: &Scene) -> Value {
        json!({"game_id": GAME, "content": "me"})
    }
    async fn shows(scene: &Scene, test: &Test) {
        assert_eq!(scene.game_comments(test).await[0]["content"], "me");
    }
}

struct UpInGame;

impl ByBo for UpInGame {
    const ROUTE: (&str, &str) = ("POST", "/game_comment_up");

    async fn prepare(scene: &mut Scene, test: &Test) {
        scene.game(test).await;
        scene.targets.push(scene.comment_on(test, GAME, scene.anna).await);
    }
    fn body(scene: &Scene) -> Value {
        json!({"comment_id": scene.targets[0]})
    }
    async fn shows(scene: &Scene, test: &Test) {
        let comment = &scene.game_comments(test).await[0];
        assert_eq!((&comment["is_up"], &comment["up_count"]), (&json!(true), &json!(1)));
    }
}

/// In place of an up.
struct DownInGame;

impl ByBo for DownInGame {
    const ROUTE: (&str, &str) = ("POST", "/game_comment_down");

    async fn prepare(scene: &mut Scene, test: &Test) {
        UpInGame::prepare(scene, test).await;
        let comment = CommentId(scene.targets[0]);
        test.plaza.app.store.vote_on_comment(scene.bo, SubjectKind::Game, comment, Vote::Up).await.unwrap();
    }
    fn body(scene: &Scene) -> Value {
        json!({"comment_id": scene.targets[0]})
    }
    async fn shows(scene: &Scene, test: &Test) {
        let comment = &scene.game_comments(test).await[0];
        let shown = ["is_up", "up_count", "is_down", "down_count"].map(|field| &comment[field]);
        assert_eq!(json!(shown), json!([false, 0, true, 1]));
    }
}

/// Two of Bo's.
struct DeleteGameComments;

impl ByBo for DeleteGameComments {
    const IN_PARTS: bool = true;
    const ROUTE: (&str, &str) = ("POST", "/game_comment_del");

    async fn prepare(scene: &mut Scene, test: &Test) {
        scene.game(test).await;
        scene.comment_on(test, GAME, scene.anna).await;
        for _ in 0..2 {
            scene.targets.push(scene.comment_on(test, GAME, scene.bo).await);
        }
    }
    fn body(scene: &Scene) -> Value {
        json!({"comment_id": scene.targets})
    }
    async fn shows(scene: &Scene, test: &Test) {
        assert_eq!(scene.game_comments(test).await.as_array().unwrap().len(), 1);
        assert_eq!(scene.count(test, GAME, "comment_count").await, "1");
    }
}

struct CommentTicket;

impl ByBo for CommentTicket {
    const ROUTE: (&str, &str) = ("POST", "/ticket_comment_publish");

    async fn prepare(scene: &mut Scene, test: &Test) {
        scene.ticket(test).await;
        scene.comment_on(test, TICKET, scene.anna).await;
    }
    fn body(_: &Scene) -> Value {
        json!({"ticket_id": TICKET, "content": "me"})
    }
    async fn shows(scene: &Scene, test: &Test) {
        assert_eq!(scene.ticket_comments(test).await[0]["content"], "me");
        assert_eq!(scene.last_words(test).await, ["me"]);
    }
}

/// Two of Bo's.
struct DeleteTicketComments;

impl ByBo for DeleteTicketComments {
    const IN_PARTS: bool = true;
    const ROUTE: (&str, &str) = ("POST", "/ticket_comment_del");

    async fn prepare(scene: &mut Scene, test: &Test) {
        scene.ticket(test).await;
        scene.comment_on(test, TICKET, scene.anna).await;
        for _ in 0..2 {
            scene.targets.push(scene.comment_on(test, TICKET, scene.bo).await);
        }
        assert_eq!(scene.last_words(test).await, ["who?"]);
    }
    fn body(scene: &Scene) -> Value {
        json!({"ticket_comment_id_list": scene.targets})
    }
    async fn shows(scene: &Scene, test: &Test) {
        assert_eq!(scene.ticket_comments(test).await.as_array().unwrap().len(), 1);
        assert_eq!(scene.last_words(test).await, ["who?"]);
        assert_eq!(scene.count(test, TICKET, "comment_count").await, "1");
    }
}

struct CollectCloth;

impl ByBo for CollectCloth {
    const ROUTE: (&str, &str) = ("POST", "/design_circle_cloth_collect");

    async fn prepare(scene: &mut Scene, test: &Test) {
        scene.cloth(test).await;
    }
    fn body(_: &Scene) -> Value {
        json!({"cloth_id": CLOTH})
    }
    async fn shows(scene: &Scene, test: &Test) {
        let detail = scene.read(test, "design_circle_cloth_detail", Self::body(scene)).await;
        assert_eq!(detail["is_collect"], true);
        assert_eq!(scene.count(test, CLOTH, "collect_count").await, "1");
    }
}

struct UncollectCloth;

impl ByBo for UncollectCloth {
    const ROUTE: (&str, &str) = ("POST", "/design_circle_cloth_uncollect");

    async fn prepare(scene: &mut Scene, test: &Test) {
        scene.cloth(test).await;
        test.wait(1);
        test.plaza.app.store.mark(Mark::Collect, scene.bo, CLOTH).await.unwrap();
    }
    fn body(_: &Scene) -> Value {
        json!({"cloth_id": CLOTH})
    }
    async fn shows(scene: &Scene, test: &Test) {
        let detail = scene.read(test, "design_circle_cloth_detail", Self::body(scene)).await;
        assert_eq!(detail["is_collect"], false);
        assert_eq!(scene.count(test, CLOTH, "collect_count").await, "0");
    }
}

/// Where the answer is lost, a name is left that nobody uses; it ends by itself.
struct NameMedia;

impl ByBo for NameMedia {
    const ROUTE: (&str, &str) = ("POST", "/get_media_id");

    fn body(_: &Scene) -> Value {
        json!({"content_type": "audio/mpeg"})
    }
    async fn shows(_: &Scene, test: &Test) {
        let items = test.items().await;
        assert!(items.keys().any(|key| key.starts_with("M#") && key.contains(".mp3 / OF#")));
    }
}

const MASTER: MasterId = MasterId(7);
const MERCHANT: MerchantId = MerchantId(7);
const MERCHANT_CLOTH: ClothId = ClothId(7);

async fn shows_master(scene: &Scene, test: &Test, follows: usize) {
    let masters = scene.read(test, "my_following_masters", json!({})).await;
    assert_eq!(masters.as_array().unwrap().len(), follows);
    let detail = scene.read(test, "master_detail", json!({"master_id": MASTER})).await;
    assert_eq!((&detail["is_follow"], &detail["follower_count"]), (&json!(follows == 1), &json!(follows)));
}

struct FollowMaster;

impl ByBo for FollowMaster {
    const ROUTE: (&str, &str) = ("POST", "/master_follow");

    async fn prepare(_: &mut Scene, test: &Test) {
        test.plaza.app.store.import(&master(MASTER.0), false).await.unwrap();
    }
    fn body(_: &Scene) -> Value {
        json!({"master_id": MASTER})
    }
    async fn shows(scene: &Scene, test: &Test) {
        shows_master(scene, test, 1).await;
    }
}

struct UnfollowMaster;

impl ByBo for UnfollowMaster {
    const ROUTE: (&str, &str) = ("POST", "/master_unfollow");

    async fn prepare(scene: &mut Scene, test: &Test) {
        FollowMaster::prepare(scene, test).await;
        test.wait(1);
        test.plaza.app.store.follow(scene.bo, MASTER).await.unwrap();
    }
    fn body(scene: &Scene) -> Value {
        FollowMaster::body(scene)
    }
    async fn shows(scene: &Scene, test: &Test) {
        shows_master(scene, test, 0).await;
    }
}

/// A merchant with a piece of clothing.
async fn shop(test: &Test) {
    test.plaza.app.store.import(&merchant(MERCHANT.0), false).await.unwrap();
    test.plaza.app.store.import(&cloth(MERCHANT_CLOTH.0, Some(MERCHANT.0)), false).await.unwrap();
}

async fn shows_merchant(scene: &Scene, test: &Test, follows: usize) {
    let merchants = scene.read(test, "my_following_merchants", json!({})).await;
    assert_eq!(merchants.as_array().unwrap().len(), follows);
    let merchant = &scene.read(test, "merchant_cloth_detail", json!({"cloth_id": MERCHANT_CLOTH})).await["merchant"];
    assert_eq!((&merchant["is_follow"], &merchant["follow_count"]), (&json!(follows == 1), &json!(follows)));
}

struct FollowMerchant;

impl ByBo for FollowMerchant {
    const ROUTE: (&str, &str) = ("POST", "/merchant_follow");

    async fn prepare(_: &mut Scene, test: &Test) {
        shop(test).await;
    }
    fn body(_: &Scene) -> Value {
        json!({"merchant_id": MERCHANT})
    }
    async fn shows(scene: &Scene, test: &Test) {
        shows_merchant(scene, test, 1).await;
    }
}

struct UnfollowMerchant;

impl ByBo for UnfollowMerchant {
    const ROUTE: (&str, &str) = ("POST", "/merchant_unfollow");

    async fn prepare(scene: &mut Scene, test: &Test) {
        shop(test).await;
        test.wait(1);
        test.plaza.app.store.follow(scene.bo, MERCHANT).await.unwrap();
    }
    fn body(scene: &Scene) -> Value {
        FollowMerchant::body(scene)
    }
    async fn shows(scene: &Scene, test: &Test) {
        shows_merchant(scene, test, 0).await;
    }
}

struct CollectMerchantCloth;

impl ByBo for CollectMerchantCloth {
    const ROUTE: (&str, &str) = ("POST", "/merchant_cloth_collect");

    async fn prepare(_: &mut Scene, test: &Test) {
        shop(test).await;
    }
    fn body(_: &Scene) -> Value {
        json!({"cloth_id": MERCHANT_CLOTH})
    }
    async fn shows(scene: &Scene, test: &Test) {
        let detail = scene.read(test, "merchant_cloth_detail", Self::body(scene)).await;
        assert_eq!(detail["is_collect"], true);
    }
}

struct UncollectMerchantCloth;

impl ByBo for UncollectMerchantCloth {
    const ROUTE: (&str, &str) = ("POST", "/merchant_cloth_uncollect");

    async fn prepare(scene: &mut Scene, test: &Test) {
        shop(test).await;
        test.wait(1);
        test.plaza.app.store.mark(Mark::Collect, scene.bo, MERCHANT_CLOTH).await.unwrap();
    }
    fn body(scene: &Scene) -> Value {
        CollectMerchantCloth::body(scene)
    }
    async fn shows(scene: &Scene, test: &Test) {
        let detail = scene.read(test, "merchant_cloth_detail", Self::body(scene)).await;
        assert_eq!(detail["is_collect"], false);
    }
}

/// A device to the user of a token.
struct Tie;

impl ByBo for Tie {
    const ROUTE: (&str, &str) = ("POST", "/m_user/login");
    const DEVICE: Option<&str> = Some(DEVICE);

    fn body(_: &Scene) -> Value {
        Value::Null
    }
    async fn shows(scene: &Scene, test: &Test) {
        assert_eq!(by_device(test).await.body["id"], format!("{:032x}", scene.bo.0));
    }
}

async fn by_device(test: &Test) -> Answer {
    call(test, &[("x-device-id", DEVICE)], "POST", "/m_user/login", Value::Null).await
}

struct Patch;

impl ByBo for Patch {
    const ROUTE: (&str, &str) = ("PATCH", "/m_user/users/{me}");

    fn body(scene: &Scene) -> Value {
        json!({"age": 30, "job": "student", "background": scene.image})
    }
    async fn shows(scene: &Scene, test: &Test) {
        let shown = scene.call(test, "GET", &format!("/m_user/users/{}", scene.bo.0), Value::Null).await;
        assert_eq!((&shown.body["age"], &shown.body["job"]), (&json!(30), &json!("student")), "{shown:?}");
    }
}

struct Put;

impl ByBo for Put {
    const ROUTE: (&str, &str) = ("PUT", "/m_user/users/{me}");

    fn body(_: &Scene) -> Value {
        json!({"nickname": "bo", "gender": "male", "age": 30, "job": "student"})
    }
    async fn shows(scene: &Scene, test: &Test) {
        Patch::shows(scene, test).await;
    }
}

fn post(scene: &Scene) -> Value {
    json!({"target_id": scene.article, "target_type": "post"})
}

struct LikePost;

impl ByBo for LikePost {
    const ROUTE: (&str, &str) = ("POST", "/m_user/likes");

    fn body(scene: &Scene) -> Value {
        post(scene)
    }
    async fn shows(scene: &Scene, test: &Test) {
        Like::shows(scene, test).await;
    }
}

struct UnlikePost;

impl ByBo for UnlikePost {
    const ROUTE: (&str, &str) = ("DELETE", "/m_user/likes");

    async fn prepare(scene: &mut Scene, test: &Test) {
        Unlike::prepare(scene, test).await;
    }
    fn body(scene: &Scene) -> Value {
        post(scene)
    }
    async fn shows(scene: &Scene, test: &Test) {
        Unlike::shows(scene, test).await;
    }
}

struct CommentPost;

impl ByBo for CommentPost {
    const ROUTE: (&str, &str) = ("POST", "/m_user/comments");

    fn body(scene: &Scene) -> Value {
        let mut body = post(scene);
        body["content"] = "there".into();
        body
    }
    async fn shows(scene: &Scene, test: &Test) {
        Comment::shows(scene, test).await;
    }
}

/// Kept twice where it is sent again because the answer was lost; so are tracks.
struct Feedback;

impl ByBo for Feedback {
    const ROUTE: (&str, &str) = ("POST", "/m_user/feedbacks");

    fn body(_: &Scene) -> Value {
        json!({"content": "good"})
    }
    async fn shows(scene: &Scene, test: &Test) {
        let end = format!("#{:016}", scene.bo.0);
        assert!(test.items().await.keys().any(|key| key.starts_with("FEEDBACK#") && key.ends_with(&end)));
    }
}

struct Tracks;

impl ByBo for Tracks {
    const ROUTE: (&str, &str) = ("POST", "/m_user/user_tracks");

    fn body(_: &Scene) -> Value {
        json!({"push_status": true, "lng": 8.5, "lat": "47.4"})
    }
    async fn shows(scene: &Scene, test: &Test) {
        let kept = format!("U#{:016} / TRACK#", scene.bo.0);
        assert!(test.items().await.keys().any(|key| key.starts_with(&kept)));
    }
}

struct RegisterDevice;

impl Deed for RegisterDevice {
    /// The device has its user.
    const DONE_BEFORE: Option<&str> = Some("409");

    async fn prepare(_: &Test) -> Self {
        Self
    }
    async fn act(&self, test: &Test) -> Answer {
        let body = json!({"nickname": "bo", "gender": "male", "age": 24, "icon": "fda32fdaxfda23"});
        call(test, &[("x-device-id", DEVICE)], "POST", "/m_user/users", body).await
    }
    async fn shows(&self, test: &Test) {
        assert_eq!(by_device(test).await.body["nickname"], "bo");
    }
}

/// A login with a review account. Each brings another device.
struct Review;

impl Deed for Review {
    async fn prepare(test: &Test) -> Self {
        let by = SignUp::Review(REVIEWER.to_owned());
        test.plaza.app.store.create_user(&by, Some(password()), Changes::default()).await.unwrap();
        Self
    }
    async fn act(&self, test: &Test) -> Answer {
        call(test, &[], "POST", "/m_user/audit_login", json!({"account": REVIEWER, "password": "abcd1234"})).await
    }
    async fn shows(&self, test: &Test) {
        let device = self.act(test).await.body["device_id"].take();
        let by = [("x-device-id", device.as_str().unwrap())];
        assert_eq!(call(test, &by, "GET", "/m_user/im_token", Value::Null).await.status, 200);
    }
}

/// Hashed once.
fn password() -> StoredPassword {
    static PASSWORD: OnceLock<StoredPassword> = OnceLock::new();
    PASSWORD.get_or_init(|| StoredPassword::hash(&Password::typed("abcd1234"), [7; 16]).unwrap()).clone()
}

async fn log_in(test: &Test, password: &str) -> Answer {
    test.json("/user_login", json!({"phone": PHONE, "password": password})).await
}

struct SigningUp {
    code: String,
}

impl Deed for SigningUp {
    /// The code was used up.
    const DONE_BEFORE: Option<&str> = Some("3200");

    async fn prepare(test: &Test) -> Self {
        Self { code: test.code(PHONE).await }
    }
    async fn act(&self, test: &Test) -> Answer {
        let body = json!({"phone": PHONE, "password": "abcd1234", "code": self.code, "nickname": "anna"});
        test.json("/user_signup", body).await
    }
    async fn shows(&self, test: &Test) {
        assert_eq!(log_in(test, "abcd1234").await.body["my_user_info"]["nickname"], "anna");
    }
}

/// Whose phone is free.
struct EraseByCode {
    token: String,
    code: String,
}

impl Deed for EraseByCode {
    /// The token has ended.
    const DONE_BEFORE: Option<&str> = Some("401");
    const PASSED_OVER: usize = 1;

    async fn prepare(test: &Test) -> Self {
        let (token, code) = with_a_code(test).await;
        Self { token, code }
    }
    async fn act(&self, test: &Test) -> Answer {
        test.json_as(&self.token, "/user_erase", json!({"code": self.code})).await
    }
    async fn shows(&self, test: &Test) {
        test.json_as(&self.token, "/my_user_info", json!({})).await.refused(401, 401);
        log_in(test, "abcd1234").await.refused(200, 3100);
        test.wait(PAUSE);
        test.person(PHONE).await;
    }
}

/// A user's token, and a code that was sent to them.
async fn with_a_code(test: &Test) -> (String, String) {
    let (_, token) = test.person(PHONE).await;
    test.wait(PAUSE);
    (token, test.code(PHONE).await)
}

struct LogInByCode {
    code: String,
}

impl Deed for LogInByCode {
    /// The code was used up.
    const DONE_BEFORE: Option<&str> = Some("3200");

    async fn prepare(test: &Test) -> Self {
        Self { code: with_a_code(test).await.1 }
    }
    async fn act(&self, test: &Test) -> Answer {
        test.json("/user_login", json!({"phone": PHONE, "code": self.code})).await
    }
    async fn shows(&self, test: &Test) {
        self.act(test).await.refused(200, 3200);
    }
}

struct ResetPassword {
    token: String,
    code: String,
}

impl Deed for ResetPassword {
    /// The code was used up.
    const DONE_BEFORE: Option<&str> = Some("3200");

    async fn prepare(test: &Test) -> Self {
        let (token, code) = with_a_code(test).await;
        Self { token, code }
    }
    async fn act(&self, test: &Test) -> Answer {
        test.json("/user_password_update", json!({"phone": PHONE, "password": "dcba4321", "code": self.code})).await
    }
    async fn shows(&self, test: &Test) {
        assert_eq!(log_in(test, "dcba4321").await.code(), "0");
        test.json_as(&self.token, "/my_user_info", json!({})).await.refused(401, 401);
    }
}

#[test]
fn every_operation_that_writes_is_a_deed() {
    let operations: Vec<_> = operations().map(|(_, listed)| listed).collect();
    // A deed is of the operation with the longest name that it begins with.
    let begins = |deed: &str, name: &str| {
        deed.strip_prefix(name).is_some_and(|more| "_".starts_with(more.get(..1).unwrap_or("")))
    };
    let of = |deed: &str| {
        let names = operations.iter().map(|listed| &listed.name).filter(|name| begins(deed, name));
        names.max_by_key(|name| name.len())
    };
    let (mut wrong, mut missing) = (vec![], writing());
    for deed in [DEEDS, faults::DEEDS, gallery_deeds::DEEDS].concat() {
        match of(deed) {
            Some(name) => drop(missing.remove(name)),
            None => wrong.push(format!("{deed}: begins with no operation's name")),
        }
    }
    wrong.extend(missing.into_iter().map(|name| format!("{name}: writes; add it to a list of `deeds!`")));
    for (name, _) in READING {
        if !operations.iter().any(|listed| listed.name == *name && !listed.reads_only) {
            wrong.push(format!("{name}: is in READING, but no operation that might write"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// That [`whole`] misses whatever is missing, and sees what is counted wrong.
#[tokio::test]
async fn what_is_half_there_is_found() {
    let test = Test::start().await;
    let mut scene = Scene::new(&test).await;
    Unfollow::prepare(&mut scene, &test).await;
    Uncollect::prepare(&mut scene, &test).await;
    UnfollowMaster::prepare(&mut scene, &test).await;
    UnfollowMerchant::prepare(&mut scene, &test).await;
    UncollectMerchantCloth::prepare(&mut scene, &test).await;
    CommentTicket::prepare(&mut scene, &test).await;
    let store = &test.plaza.app.store;
    store.vote_on_comment(scene.bo, SubjectKind::Article, CommentId(scene.comment), Vote::Up).await.unwrap();
    test.wait(1);
    let gone = store.publish_article(scene.bo, "the hills", vec![]).await.unwrap();
    store.delete_articles(scene.bo, &[gone].into()).await.unwrap();
    let gallery = store.create_gallery(scene.bo, "Sea").await.unwrap();
    for _ in 0..2 {
        test.wait(1);
        let gallery = store.own_gallery(scene.bo, gallery).await.unwrap();
        let picture = MediaId::fresh(&test.plaza.app.system, "jpeg");
        store.own_picture_file(scene.bo, &picture).await.unwrap();
        store.add_picture(scene.bo, gallery, picture).await.unwrap();
    }
    let items = raw(&test).await;
    let check = |items: &Items| {
        whole(items);
        gallery_deeds::whole(items);
        catalogue_deeds::whole(items);
    };
    check(&items);

    let found = |items: &Items| panic::catch_unwind(|| check(items)).is_err();
    // Who was anonymous stays so, an image that nobody shows may go, and so may what operators put into a list.
    let bos_image = keys::user_media(scene.bo, &scene.image);
    let bos_image = format!("{} / {}", bos_image.pk, bos_image.sk);
    let kinds = ["OPENID#", "LIST#", "OPEN#"];
    let entries = [" / PROJECT#", " / TICKETS#"];
    let spare = |key: &str| {
        kinds.iter().any(|kind| key.starts_with(kind))
            || entries.iter().any(|entry| key.contains(entry))
            || key.ends_with(" / AUTH")
            || key.ends_with(" / TOP")
    };
    for key in items.keys().filter(|key| !spare(key) && **key != bos_image) {
        let mut items = items.clone();
        items.remove(key);
        assert!(found(&items), "{key} is missing");
    }
    const COUNTS: [&str; 13] = [
        "articles",
        "follows",
        "follows_masters",
        "follows_merchants",
        "followers",
        "like_count",
        "collect_count",
        "comment_count",
        "up_count",
        "h0",
        "galleries",
        "pictures",
        "cover_id",
    ];
    for (key, fields) in &items {
        for name in COUNTS.into_iter().filter(|name| fields.contains_key(*name)) {
            let mut items = items.clone();
            items.get_mut(key).unwrap().insert(name.to_owned(), "7".into());
            assert!(found(&items), "{name} of {key} is wrong");
        }
    }
}

/// The fields of a profile that name files.
const FILES: [&str; 6] = ["avatar", "large_avatar", "background", "audio_intro", "video_chat", "audio_chat"];

/// What one thing says of a community, the others say as well, and every count is a recount. What hangs on an article
/// that is gone goes a moment later, and is not looked at.
pub fn whole(items: &Items) {
    let text = |fields: &BTreeMap<String, Value>, name: &str| match fields.get(name) {
        Some(Value::String(text)) => text.clone(),
        other => panic!("{name} is {other:?} in {fields:?}"),
    };
    // An id as keys spell it.
    let id = |fields: &BTreeMap<String, Value>, name: &str| format!("{:0>16}", text(fields, name));
    let says = |key: &str, name: &str, wanted: &str| {
        let found = items.get(key).unwrap_or_else(|| panic!("{key} is missing"));
        assert_eq!(id(found, name), wanted, "{name} of {key}");
    };
    let begin = |prefix: String| {
        items.range(prefix.clone()..).take_while(move |(key, _)| key.starts_with(&prefix)).map(|(_, fields)| fields)
    };
    let under = |prefix: &str| begin(prefix.to_owned()).count().to_string();
    // In an item and its shards.
    let counted = |key: &str, name: &str| {
        let counting =
            items.get(key).into_iter().chain(begin(format!("{}#SHARDS / ", key.split_once(" / ").unwrap().0)));
        let counts = counting.filter_map(|fields| fields.get(name)?.as_str()?.parse::<i64>().ok());
        counts.sum::<i64>().to_string()
    };
    let count = |key: &str, name: &str, prefix: &str| {
        assert_eq!(counted(key, name), under(prefix), "{name} of {key}");
    };
    // Whoever has left is there until all else of theirs is gone.
    let leaves = |user: &str| items.keys().any(|key| key.starts_with("LEAVING / ") && key.ends_with(user));
    let user = |user: &str| {
        assert!(items.contains_key(&format!("U#{user} / PROFILE")) || leaves(user), "user {user} is missing");
    };
    // What hangs on a subject names it.
    let about = |fields: &BTreeMap<String, Value>| {
        let (kind, id) = fields["subject"].as_object().unwrap().iter().next().unwrap();
        let kind = if kind == "article" { "A".to_owned() } else { kind.to_uppercase() };
        format!("{kind}#{:0>16}", id.as_str().unwrap())
    };
    let head = |subject: &str| items.get(&format!("{subject} / HEAD"));
    let file = |media: &str, owner: &str| items.get(&format!("M#{media} / OF#{owner}"));
    let uses = |file: &BTreeMap<String, Value>| {
        let uses = file.get("used_in").and_then(Value::as_array).cloned().unwrap_or_default();
        uses.into_iter().map(|by| by.as_str().unwrap().to_owned())
    };

    let (mut holes, mut counted_holes) = (BTreeMap::new(), BTreeMap::new());
    for (key, fields) in items {
        let (pk, sk) = key.split_once(" / ").unwrap();
        // What the partition and the item are named by.
        let ((kind, of), (part, at)) = (pk.split_once('#').unwrap_or((pk, "")), sk.split_once('#').unwrap_or((sk, "")));
        match (kind, part) {
            ("A", "HEAD") => {
                let (author, place) = (id(fields, "author"), text(fields, "number").parse::<u64>().unwrap());
                user(&author);
                says(&format!("L#articles#{:010} / {place:016}", place / 128), "article", of);
                says(&format!("U#{author} / ARTICLE#{of}"), "article", of);
                let images = fields.get("images").map_or(&[][..], |images| images.as_array().unwrap());
                assert_eq!(items.contains_key(&format!("U#{author} / PICTURED#{of}")), !images.is_empty(), "{key}");
                for image in images {
                    let file = file(image.as_str().unwrap(), &author).unwrap_or_else(|| panic!("{key}: {image}"));
                    assert!(uses(file).any(|by| by == pk), "{key}: {image} is used");
                }
                count(key, "like_count", &format!("{pk}#MARKED / LIKER#"));
                count(key, "collect_count", &format!("{pk}#MARKED / COLLECTOR#"));
                count(key, "comment_count", &format!("{pk} / COMMENT#"));
            }
            ("GAME" | "CLOTH" | "TICKET", "HEAD") => {
                let marks = format!(" / MARK#{pk}");
                for (name, mark) in [("like_count", "liked"), ("collect_count", "collected")] {
                    let marked =
                        items.iter().filter(|(key, fields)| key.ends_with(&marks) && fields.contains_key(mark));
                    assert_eq!(counted(key, name), marked.count().to_string(), "{name} of {key}");
                }
                count(key, "comment_count", &format!("{pk} / COMMENT#"));
                if kind == "TICKET" {
                    let places = fields["places"].as_object().unwrap();
                    let last = items.keys().filter_map(|key| key.strip_prefix(&format!("{pk} / COMMENT#"))).max();
                    assert_eq!(places.keys().next_back().map(String::as_str), last, "{key}");
                    for place in places.keys() {
                        assert!(items.contains_key(&format!("{pk} / COMMENT#{place}")), "{key}");
                        assert!(items.contains_key(&format!("CIRCLE / {place}")), "{key}");
                    }
                    let batch = format!("TICKETS#{} / HEAD", id(fields, "batch"));
                    let project = format!("PROJECT#{} / HEAD", id(fields, "project"));
                    assert!(items.contains_key(&batch) && items.contains_key(&project), "{key}");
                }
                if let Some(merchant) = fields.get("content").and_then(|content| content.get("merchant_id")) {
                    let merchant = format!("MERCHANT#{} / HEAD", merchant.as_str().unwrap());
                    assert!(items.contains_key(&merchant), "{key}");
                }
            }
            ("PROJECT", "HEAD") => {
                let master = fields["content"]["master_id"].as_str().unwrap();
                assert!(head(&format!("MASTER#{master}")).is_some(), "{key}");
            }
            ("CIRCLE", _) => {
                let ticket = head(&format!("TICKET#{}", id(fields, "ticket"))).unwrap();
                assert!(ticket["places"].get(sk).is_some(), "{key}");
                assert_eq!((&ticket["batch"], &ticket["project"]), (&fields["batch"], &fields["project"]), "{key}");
            }
            ("L", _) if place_of(key).is_some() => match fields.get("article") {
                Some(_) => says(&format!("A#{} / HEAD", id(fields, "article")), "number", sk),
                None => *holes.entry(place_of(key).unwrap() / 128).or_insert(0) += 1,
            },
            ("L", "HOLES") => {
                for (block, holes) in fields.iter() {
                    let block = at.parse::<u64>().unwrap() * 128 + block[1..].parse::<u64>().unwrap();
                    counted_holes.insert(block, holes.as_str().unwrap().parse().unwrap());
                }
            }
            ("L", "TOP") => {
                let used: BTreeSet<_> = items.keys().filter_map(|key| place_of(key)).collect();
                assert!(used.last().is_none_or(|top| *top < text(fields, "drawn").parse().unwrap()), "{key}");
                // What was taken out leaves nothing behind below.
                let settled = fields.get("settled").map_or(0, |settled| settled.as_str().unwrap().parse().unwrap());
                for place in (0..settled).filter(|place| !used.contains(place)) {
                    *holes.entry(place / 128).or_insert(0) += 1;
                }
            }
            ("U", "COMMENT") if head(&about(fields)).is_some() => {
                says(&format!("{} / COMMENT#{at}", about(fields)), "user", of);
            }
            ("U", "GIFT") => says(&format!("U#{at} / GAVE#{of}"), "to", of),
            ("U", "ARTICLE" | "PICTURED") => says(&format!("A#{at} / HEAD"), "author", of),
            ("U", "PROFILE") => {
                for name in FILES.into_iter().filter_map(|list| fields.get(list)?.as_str()) {
                    let file = file(name, of);
                    assert!(file.is_none_or(|file| uses(file).any(|by| by == "profile")), "{key}: {name} is used");
                }
                let counts = format!("{pk} / COUNTS");
                count(&counts, "articles", &format!("{pk} / ARTICLE#"));
                count(&counts, "follows", &format!("{pk} / FOLLOWS#U#"));
                count(&counts, "follows_masters", &format!("{pk} / FOLLOWS#MASTER#"));
                count(&counts, "follows_merchants", &format!("{pk} / FOLLOWS#MERCHANT#"));
                count(&counts, "followers", &format!("{pk}#F / FOLLOWER#"));
                assert_eq!(under(&format!("{pk} / FOLLOWS#")), under(&format!("{pk} / FOLLOWING#")), "{pk}");
            }
            ("MASTER" | "MERCHANT", "HEAD") => {
                count(&format!("{pk} / COUNTS"), "followers", &format!("{pk}#F / FOLLOWER#"));
            }
            ("U", "FOLLOWS") => {
                let (place, (kind, whom)) = (id(fields, "place"), at.split_once('#').unwrap());
                let followee = &items[&format!("{pk} / FOLLOWING#{kind}#{place}")]["followee"];
                let named = match kind {
                    "U" => &followee["user"],
                    "MASTER" => &followee["master"],
                    _ => &followee["merchant"],
                };
                assert_eq!(format!("{:0>1$}", named.as_str().unwrap(), whom.len()), whom, "{key}");
                assert!(kind == "U" || items.contains_key(&format!("{at} / HEAD")), "{key}");
                says(&format!("{at}#F / FOLLOWER#{place}"), "user", of);
                // Written to, or read beside the feeds, or known there until it was followed up.
                let known = [format!("AHEAD#{at} / {of}"), format!("{pk} / BESIDE#{kind}#ALWAYS#{whom}")];
                if kind != "MERCHANT" && !known.iter().any(|key| items.contains_key(key)) {
                    says(&format!("{pk} / BESIDE#{kind}#LATELY#{whom}"), "follow", &place);
                }
            }
            ("U", "BESIDE") => {
                let (kind, (when, whom)) =
                    at.split_once('#').map(|(kind, at)| (kind, at.split_once('#').unwrap())).unwrap();
                let follows = items.get(&format!("{pk} / FOLLOWS#{kind}#{whom}"));
                let lately = items.get(&format!("{pk} / BESIDE#{kind}#LATELY#{whom}"));
                match when {
                    "LATELY" => assert_eq!(fields.get("follow"), follows.map(|follows| &follows["place"]), "{key}"),
                    // Of whom was unfollowed, until that was followed up.
                    _ => assert!(follows.is_some() || lately.is_some(), "{key}"),
                }
            }
            ("U" | "MASTER" | "MERCHANT", "FOLLOWER") => {
                let followee = pk.strip_suffix("#F").unwrap();
                says(&format!("U#{} / FOLLOWS#{followee}", id(fields, "user")), "place", at);
            }
            // Content is withdrawn, but never gone; who marked it is in no list.
            ("U", "MARK") if !at.starts_with("A#") => {
                assert!(at == about(fields) && head(at).is_some(), "{key}");
            }
            ("U", "MARK") if head(&about(fields)).is_some() => {
                assert_eq!(at, about(fields), "{key}");
                if fields.contains_key("liked") {
                    says(&format!("{at}#MARKED / LIKER#{}", id(fields, "liked")), "user", of);
                }
                if fields.contains_key("collected") {
                    says(&format!("{at}#MARKED / COLLECTOR#{}", id(fields, "collected")), "user", of);
                    says(&format!("{pk} / COLLECT#{}", id(fields, "collected")), "user", of);
                }
            }
            ("U", "COLLECT") if head(&about(fields)).is_some() => {
                says(&format!("{pk} / MARK#{}", about(fields)), "collected", at);
            }
            ("A", "LIKER" | "COLLECTOR") => {
                let article = pk.strip_suffix("#MARKED").unwrap();
                let mark = if part == "LIKER" { "liked" } else { "collected" };
                if head(article).is_some() {
                    says(&format!("U#{} / MARK#{article}", id(fields, "user")), mark, at);
                }
            }
            ("A" | "GAME" | "TICKET", "COMMENT") if head(pk).is_some() => {
                assert!(items.contains_key(&format!("{pk} / AT#{at}")), "{key} has no place");
                let origin = &items[&format!("C#{at} / -")];
                let said = format!("U#{} / COMMENT#{at}", id(fields, "user"));
                assert_eq!(items.get(&said).map(about).as_deref(), Some(pk), "{key}");
                for reply in ["reply", "first_reply"].into_iter().filter_map(|reply| fields.get(reply)?.get("user")) {
                    let answer = format!("U#{:0>16} / ANSWER#{at}", reply.as_str().unwrap());
                    assert_eq!(items.get(&answer).map(about).as_deref(), Some(pk), "{key}");
                }
                assert_eq!((about(origin), id(origin, "user")), (pk.to_owned(), id(fields, "user")), "{key}");
                assert!(head(pk).is_some_and(|head| id(head, "last_comment").as_str() >= at), "{key}");
                let votes = |up: bool| {
                    let votes = items.iter().filter(|(key, _)| key.ends_with(&format!(" / VOTE#{pk}#{at}")));
                    votes.filter(|(_, vote)| vote["up"] == up).count().to_string()
                };
                assert_eq!((&text(fields, "up_count"), &text(fields, "down_count")), (&votes(true), &votes(false)));
            }
            ("U", "ANSWER") if head(&about(fields)).is_some() => {
                says(&format!("{} / COMMENT#{at}", about(fields)), "id", at);
            }
            ("A" | "GAME" | "TICKET", "AT") if head(pk).is_some() => says(&format!("{pk} / COMMENT#{at}"), "id", at),
            ("A" | "GAME" | "TICKET", "GONE") => assert!(!items.contains_key(&format!("C#{} / -", &at[14..])), "{key}"),
            ("C", _) if head(&about(fields)).is_some() => {
                user(&id(fields, "user"));
                says(&format!("{} / COMMENT#{of}", about(fields)), "id", of);
            }
            ("M", "OF") => {
                user(at);
                assert_eq!(id(fields, "owner"), at, "{key}");
                assert_eq!(fields.contains_key("expires_at"), uses(fields).next().is_none(), "{key}: it ends");
                for by in uses(fields) {
                    let names = |by: Option<&BTreeMap<String, Value>>, lists: &[&str]| {
                        let named = by.into_iter().flat_map(|by| lists.iter().filter_map(|list| by.get(*list)));
                        let named: Vec<_> = named.collect();
                        named
                            .iter()
                            .any(|named| *named == of || named.as_array().is_some_and(|list| list.contains(&json!(of))))
                    };
                    let is_used = match by.split_once('#') {
                        Some(("A", _)) => names(head(&by), &["images"]),
                        Some(("G", _)) => begin(format!("{by} / P#")).any(|picture| picture["media"] == of),
                        _ => leaves(at) || names(items.get(&format!("U#{at} / PROFILE")), &FILES),
                    };
                    assert!(is_used, "{key} by {by}");
                    let is_listed = items.contains_key(&format!("U#{at} / MEDIA#{of}"));
                    assert!(by.starts_with("G#") || is_listed, "{key}");
                }
            }
            ("WALL", _) => {
                let [media, owner, gallery] = ["media", "owner", "gallery"].map(|name| id(fields, name));
                let file = file(&media, &owner).unwrap_or_else(|| panic!("{key}: {media}"));
                assert!(uses(file).any(|by| by == format!("G#{gallery}")), "{key}: {media} is used");
            }
            ("U", "MEDIA") => assert!(file(at, of).is_some(), "{key}"),
            ("DEVICE", _) => {
                let theirs = format!("U#{} / {pk}", id(fields, "holder"));
                assert!(items.contains_key(&theirs) || leaves(&id(fields, "holder")), "{key}");
            }
            ("REVIEW", _) => user(&id(fields, "holder")),
            ("FEEDBACK", _) => {
                let theirs = format!("U#{} / {pk}#{}", &sk[17..], &sk[..16]);
                assert!(items.contains_key(&theirs), "{key}");
            }
            _ => {}
        }
    }
    assert_eq!(holes, counted_holes, "holes by block");
}
