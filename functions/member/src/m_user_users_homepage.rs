use shared::{
    domain::MediaClass,
    store::{Article, Giver},
    wire::{
        dialect::B,
        operation::*,
        values::{MediaKey, NamedUser, PostDigits, UserHex},
    },
};

use crate::shown::{MemberBrief, ShownMedia, Traits, shown};

/// Read a member's homepage (document B).
#[derive(Deserialize, JsonSchema)]
pub struct MUserUsersHomepage {
    user_id: NamedUser,
}

#[derive(Serialize, JsonSchema)]
pub struct Homepage {
    #[serde(flatten)]
    face: MemberBrief,
    #[serde(flatten)]
    traits: Traits,
    background: Option<Medium>,
    audio_intro: Option<Audio>,
    is_vip: bool,
    /// What gifts have brought, in fen.
    profit: u64,
    /// Those who gave most, 100 at most.
    her_gifts: Vec<Gifts>,
    /// All posts.
    post_count: u64,
    /// The newest with images, five at most.
    posts: Vec<Post>,
}

#[derive(Serialize, JsonSchema)]
struct Medium {
    r#type: MediumType,
    key: MediaKey,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum MediumType {
    Picture,
    Video,
    Audio,
}

#[derive(Serialize, JsonSchema)]
struct Audio {
    #[serde(flatten)]
    medium: Medium,
    /// Whole seconds; null where the file does not say, or was not checked yet.
    duration: Option<u64>,
}

#[derive(Serialize, JsonSchema)]
struct Gifts {
    from_user: From,
    gifts: Vec<CountedGift>,
}

#[derive(Serialize, JsonSchema)]
struct From {
    id: UserHex,
    icon: Option<MediaKey>,
}

#[derive(Serialize, JsonSchema)]
struct CountedGift {
    /// What was given.
    code: String,
    count: u64,
}

#[derive(Serialize, JsonSchema)]
struct Post {
    id: PostDigits,
    post_type: MediumType,
    media: Vec<Medium>,
}

/// Posts that a homepage shows.
const POSTS: usize = 5;

impl Operation for MUserUsersHomepage {
    type Dialect = B;
    type Caller = Reader;
    type Response = Homepage;
    const ROUTE: Route = Route::get("/m_user/users/{user_id}/homepage");

    async fn handle(self, Reader(caller): Reader, app: &App) -> Result<Homepage, Refusal> {
        let (id, store) = (self.user_id.0, &app.store);
        let user = async {
            let user = store.profile(id).await?.ok_or(Refusal::NoSuch(Thing::User))?;
            let media = shown(app, user.id, [&user.background, &user.audio_intro]).await?;
            Ok((user, media))
        };
        let ((user, [background, audio]), counts, posts, givers) =
            tokio::try_join!(user, store.counts(id), store.pictured_articles(id, POSTS), store.gifts_of(caller, id))?;
        Ok(Homepage {
            face: (&user).into(),
            traits: (&user).into(),
            background: background.map(Medium::of),
            audio_intro: audio.map(|audio| Audio { duration: audio.seconds, medium: Medium::of(audio) }),
            is_vip: user.is_vip(app.system.now()),
            profit: user.profit,
            her_gifts: givers.into_iter().map(Gifts::of).collect(),
            post_count: counts.articles,
            posts: posts.into_iter().map(Post::of).collect(),
        })
    }
}

impl Medium {
    fn of(ShownMedia { id, .. }: ShownMedia) -> Self {
        let r#type = match id.kind().map(|kind| kind.class()) {
            Some(MediaClass::Video) => MediumType::Video,
            Some(MediaClass::Audio) => MediumType::Audio,
            Some(MediaClass::Image) | None => MediumType::Picture,
        };
        Self { r#type, key: MediaKey(id) }
    }
}

impl Gifts {
    fn of(giver: Giver) -> Self {
        Self {
            from_user: From { id: UserHex(giver.user.id), icon: giver.user.avatar.map(MediaKey) },
            gifts: giver.gifts.into_iter().map(|(code, count)| CountedGift { code, count }).collect(),
        }
    }
}

impl Post {
    fn of(article: Article) -> Self {
        let picture = |id| Medium { r#type: MediumType::Picture, key: MediaKey(id) };
        Self {
            id: PostDigits(article.id),
            post_type: MediumType::Picture,
            media: article.images.into_iter().map(picture).collect(),
        }
    }
}
