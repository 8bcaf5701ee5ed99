//! What document A does to galleries, under the faults of [`crate::faults`].
use std::marker::PhantomData;

use serde_json::{Value, json};
use shared::domain::{GalleryId, MediaId, PictureId, UserId, picture::Picture};

use crate::{
    faults::{Deed, Items, deeds},
    support::{Answer, Test, picture},
};

deeds! {
    user_pic_dir_create: In<Create>;
    user_pic_dir_delete: In<Delete>;
    user_pic_dir_heartbeat_add: In<Heart>;
    user_pic_dir_heartbeat_remove: In<NoHeart>;
    user_pic_upload: In<Upload>;
    user_pic_delete: In<DeletePicture>;
    user_pic_delete_the_cover: In<DeleteCover>;
}

/// Somebody with a gallery of two pictures.
struct Scene {
    owner: UserId,
    token: String,
    gallery: GalleryId,
    pictures: Vec<(PictureId, MediaId)>,
}

impl Scene {
    async fn new(test: &Test) -> Self {
        let (owner, token) = test.person("13800138001").await;
        let (owner, app) = (UserId(owner), &test.plaza.app);
        test.wait(1);
        let gallery = app.store.create_gallery(owner, "Sea").await.unwrap();
        let mut pictures = vec![];
        for _ in 0..2 {
            test.wait(1);
            let [small] = Picture::open(&picture(64, 64), "image").unwrap().fit([64]);
            let media = app.new_picture(owner, small).await.unwrap();
            let now = app.store.own_gallery(owner, gallery).await.unwrap();
            pictures.push((app.store.add_picture(owner, now, media.clone()).await.unwrap(), media));
        }
        test.wait(1);
        Self { owner, token, gallery, pictures }
    }

    /// The pictures of the gallery, as anybody sees them.
    async fn list(&self, test: &Test) -> Vec<Value> {
        let shown = test.get(&format!("/user/pic_dir/pic/list?pic_dir_id={}", self.gallery.0)).await;
        shown.body["data"]["list"].as_array().unwrap_or_else(|| panic!("{shown:?}")).clone()
    }

    async fn galleries(&self, test: &Test) -> Vec<Value> {
        let shown = test.get(&format!("/user/pic_dir/list?user_id={}", self.owner.0)).await;
        shown.body["data"]["list"].as_array().unwrap_or_else(|| panic!("{shown:?}")).clone()
    }

    async fn hearts(&self, test: &Test) -> Value {
        let path = format!("/user/pic_dir/heartbeat/list?user_id={}", self.owner.0);
        test.get(&path).await.body["data"]["list"].take()
    }

    /// That all but this one are left, with their objects.
    async fn is_without(&self, test: &Test, gone: usize) {
        let left = &self.pictures[1 - gone];
        let shown = self.list(test).await;
        assert_eq!(shown.iter().map(|picture| &picture["pic_id"]).collect::<Vec<_>>(), [left.0.0]);
        assert_eq!(test.objects().await.0, [format!("media/{}", left.1)]);
    }
}

/// Something that the owner does in the scene.
trait ByOwner: 'static {
    const IN_PARTS: bool = false;
    const PATH: &str;

    /// What has to be there before.
    async fn prepare(_: &Scene, _: &Test) {}
    fn body(scene: &Scene) -> Value {
        json!({"pic_dir_id": scene.gallery})
    }
    async fn act(scene: &Scene, test: &Test) -> Answer {
        test.json_as(&scene.token, Self::PATH, Self::body(scene)).await
    }
    async fn shows(scene: &Scene, test: &Test);
}

struct In<D> {
    scene: Scene,
    deed: PhantomData<D>,
}

impl<D: ByOwner> Deed for In<D> {
    const PASSED_OVER: usize = 1;
    const IN_PARTS: bool = D::IN_PARTS;

    async fn prepare(test: &Test) -> Self {
        let scene = Scene::new(test).await;
        D::prepare(&scene, test).await;
        Self { scene, deed: PhantomData }
    }
    async fn act(&self, test: &Test) -> Answer {
        D::act(&self.scene, test).await
    }
    async fn shows(&self, test: &Test) {
        D::shows(&self.scene, test).await;
    }
}

struct Create;

impl ByOwner for Create {
    const PATH: &str = "/user/pic_dir/create";

    fn body(_: &Scene) -> Value {
        json!({"name": "Hills"})
    }
    async fn shows(scene: &Scene, test: &Test) {
        // There twice where it was done without our being told so.
        let galleries = scene.galleries(test).await;
        assert!((2..=3).contains(&galleries.len()), "{galleries:?}");
        assert!(galleries[1..].iter().all(|gallery| gallery["name"] == "Hills" && gallery["count"] == 0));
    }
}

/// Step by step: a repeat finishes what broke off.
struct Delete;

impl ByOwner for Delete {
    const IN_PARTS: bool = true;
    const PATH: &str = "/user/pic_dir/delete";

    async fn shows(scene: &Scene, test: &Test) {
        assert_eq!(scene.galleries(test).await, [] as [Value; 0]);
        assert_eq!(test.objects().await.0, [""; 0]);
        let id = format!("{:016}", scene.gallery.0);
        assert_eq!(test.items().await.keys().find(|key| key.contains(&id) || key.starts_with("WALL")), None);
    }
}

struct Heart;

impl ByOwner for Heart {
    const PATH: &str = "/user/pic_dir/heartbeat/add";

    async fn shows(scene: &Scene, test: &Test) {
        assert_eq!(scene.hearts(test).await, json!([scene.gallery]));
    }
}

struct NoHeart;

impl ByOwner for NoHeart {
    const PATH: &str = "/user/pic_dir/heartbeat/remove";

    async fn prepare(scene: &Scene, test: &Test) {
        test.plaza.app.store.give_heart(scene.owner, scene.gallery).await.unwrap();
    }
    async fn shows(scene: &Scene, test: &Test) {
        assert_eq!(scene.hearts(test).await, json!([]));
    }
}

struct Upload;

impl ByOwner for Upload {
    const PATH: &str = "/user/pic/upload";

    async fn act(scene: &Scene, test: &Test) -> Answer {
        let gallery = scene.gallery.0.to_string();
        test.upload(&scene.token, Self::PATH, &[("pic_dir_id", &gallery)], ("image", &picture(96, 64))).await
    }
    async fn shows(scene: &Scene, test: &Test) {
        // There twice where it was done without our being told so.
        let pictures = scene.list(test).await;
        assert!((3..=4).contains(&pictures.len()), "{pictures:?}");
        for picture in &pictures {
            let (status, _, bytes) = test.fetch(picture["pic_url"].as_str().unwrap()).await;
            assert_eq!(status, 200);
            image::load_from_memory(&bytes).unwrap();
        }
    }
}

struct DeletePicture;

impl ByOwner for DeletePicture {
    const PATH: &str = "/user/pic/delete";

    fn body(scene: &Scene) -> Value {
        json!({"pic_id": scene.pictures[1].0})
    }
    async fn shows(scene: &Scene, test: &Test) {
        scene.is_without(test, 1).await;
    }
}

/// The other one takes its place.
struct DeleteCover;

impl ByOwner for DeleteCover {
    const PATH: &str = "/user/pic/delete";

    fn body(scene: &Scene) -> Value {
        json!({"pic_id": scene.pictures[0].0})
    }
    async fn shows(scene: &Scene, test: &Test) {
        scene.is_without(test, 0).await;
    }
}

/// A gallery's count and cover are those of its pictures, each picture is on the wall, and what leads to a gallery is
/// told by it. What is closed is being taken away and not looked at.
pub fn whole(items: &Items) {
    let there = |key: &str| items.get(key).unwrap_or_else(|| panic!("{key} is missing"));
    let under = |prefix: &str| items.iter().filter(|(key, _)| key.starts_with(prefix)).collect::<Vec<_>>();
    // An id as keys spell it.
    let id = |value: &Value| format!("{:0>16}", value.as_str().unwrap());
    let is_closed = |gallery: &str| there(&format!("G#{gallery} / HEAD"))["closed"] == true;
    for (key, fields) in items {
        let (pk, sk) = key.split_once(" / ").unwrap();
        let ((kind, of), (part, at)) = (pk.split_once('#').unwrap_or((pk, "")), sk.split_once('#').unwrap_or((sk, "")));
        match (kind, part) {
            ("U", "PROFILE") => {
                let counted =
                    items.get(&format!("{pk} / GALLERIES")).map_or("0", |count| count["galleries"].as_str().unwrap());
                assert_eq!(counted, under(&format!("{pk} / G#")).len().to_string(), "{key}: galleries");
            }
            ("U", "G") => {
                assert_eq!(id(&there(&format!("G#{at} / HEAD"))["owner"]), of, "{key}");
                assert!(!is_closed(at), "{key}");
                let pictures = under(&format!("G#{at} / P#"));
                assert_eq!(fields["pictures"], pictures.len().to_string(), "{key}: pictures");
                let first = pictures.first().map(|(_, first)| *first);
                let cover = ["id", "media"].map(|name| first.and_then(|first| first.get(name)));
                assert_eq!(["cover_id", "cover"].map(|name| fields.get(name)), cover, "{key}: cover");
            }
            ("G", "HEAD") if is_closed(of) => {
                assert!(items.contains_key(&format!("U#{} / CLOSING#{of}", id(&fields["owner"]))), "{key}");
            }
            ("G", "HEAD") if !is_closed(of) => drop(there(&format!("U#{} / G#{of}", id(&fields["owner"])))),
            ("G", "P") if !is_closed(of) => assert_eq!(there(&format!("WALL / {at}")), fields, "{key}"),
            ("WALL", _) => {
                let gallery = id(&fields["gallery"]);
                assert_eq!(there(&format!("G#{gallery} / P#{sk}")), fields, "{key}");
                assert_eq!(there(&format!("G#{gallery} / HEAD"))["owner"], fields["owner"], "{key}");
            }
            _ => {}
        }
    }
}
