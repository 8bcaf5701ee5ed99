//! What a community does, under the faults of [`crate::faults`].
use std::{collections::BTreeMap, marker::PhantomData, sync::OnceLock};

use http::Request;
use serde_json::{Value, json};
use shared::{
    domain::{ArticleId, DeviceId, MediaId, MediaKind, Password, Phone, StoredPassword, UserId},
    store::{CameBy, Changes, LoggedIn, Mark},
};

use crate::{
    faults::{Deed, Items, deeds, place_of},
    support::{Answer, PAUSE, Test},
};

const PHONE: &str = "13800138001";
const DEVICE: &str = "device-of-a-member-1";
const REVIEWER: &str = "reviewer";

deeds! {
    user_signup: SignUp;
    user_login_by_code: LogInByCode;
    user_password_update: ResetPassword;
    my_user_info_update: In<UpdateInfo>;
    user_follow: In<Follow>;
    user_unfollow: In<Unfollow>;
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
    get_media_id: In<NameMedia>;
    m_user_login_with_a_token: In<Tie>;
    m_user_users_post: RegisterDevice;
    m_user_users_patch: In<Patch>;
    m_user_likes_post: In<LikePost>;
    m_user_likes_delete: In<UnlikePost>;
    m_user_comments_post: In<CommentPost>;
    m_user_feedbacks: In<Feedback>;
    m_user_user_tracks: In<Tracks>;
    m_user_audit_login: Review;
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
}

/// A user without a password: hashing one is most of what making a user takes.
async fn person(test: &Test, name: &str) -> UserId {
    test.wait(1);
    let by = CameBy::ThirdParty("qq", name.to_owned());
    test.plaza.app.store.create_user(&by, None, Changes::default()).await.unwrap().id
}

async fn image(test: &Test, owner: UserId) -> MediaId {
    let store = &test.plaza.app.store;
    let image = store.new_media(owner, MediaKind::Jpeg).await.unwrap();
    store.media_checked(&image, None).await.unwrap();
    image
}

impl Scene {
    async fn new(test: &Test) -> Self {
        let app = &test.plaza.app;
        let (anna, bo) = (person(test, "anna").await, person(test, "bo").await);
        let token = app.new_token(&app.store.log_in_vouched(bo).await.unwrap()).unwrap().0;
        let images = vec![image(test, anna).await];
        let article = app.store.publish_article(anna, "the sea", images).await.unwrap();
        let scene = Self { anna, bo, token, article, comment: 0, image: image(test, bo).await };
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
        for (count, list) in
            [("comment_count", "comment_list"), ("like_count", "like_user_list"), ("collect_count", "collect_user_list")]
        {
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
    const IN_PARTS: bool = false;
    const ROUTE: (&str, &str);

    /// What has to be there before.
    async fn prepare(_: &Scene, _: &Test) {}
    fn body(scene: &Scene) -> Value;
    async fn shows(scene: &Scene, test: &Test);
}

struct In<D> {
    scene: Scene,
    deed: PhantomData<D>,
}

impl<D: ByBo> Deed for In<D> {
    const IN_PARTS: bool = D::IN_PARTS;

    async fn prepare(test: &Test) -> Self {
        let scene = Scene::new(test).await;
        D::prepare(&scene, test).await;
        test.wait(1);
        Self { scene, deed: PhantomData }
    }
    async fn act(&self, test: &Test) -> Answer {
        let (method, path) = D::ROUTE;
        let path = path.replace("{me}", &self.scene.bo.0.to_string());
        self.scene.call(test, method, &path, D::body(&self.scene)).await
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

    async fn prepare(scene: &Scene, test: &Test) {
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
        assert_eq!(homepage.body["posts"][0]["images"], json!([scene.image]), "{homepage:?}");
    }
}

/// Two, one with an image; what hangs on them goes a moment later.
struct Delete;

impl ByBo for Delete {
    const IN_PARTS: bool = true;
    const ROUTE: (&str, &str) = ("POST", "/article_del");

    async fn prepare(scene: &Scene, test: &Test) {
        let store = &test.plaza.app.store;
        for images in [vec![], vec![scene.image.clone()]] {
            test.wait(1);
            let article = store.publish_article(scene.bo, "the hills", images).await.unwrap();
            store.mark(Mark::Collect, scene.anna, article).await.unwrap();
            store.publish_comment(scene.anna, article, "when?", None).await.unwrap();
        }
    }
    fn body(scene: &Scene) -> Value {
        // The ids that the second user's articles have got are not told here: both are younger than Anna's.
        let _ = scene;
        Value::Null
    }
    async fn shows(scene: &Scene, test: &Test) {
        assert_eq!(scene.texts(test, "article_list").await, ["the sea"]);
        assert_eq!(scene.texts(test, "my_article_list").await, [""; 0]);
    }
}
