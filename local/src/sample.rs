//! What an empty data folder is filled with: what a new user's first calls and the static sample events need. It is
//! made by the functions' own verbs, and what operators bring by the function that they call, at a time and by a chance
//! that are fixed, so that it is the same everywhere.
use std::{
    collections::BTreeSet,
    io::Cursor,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use futures_util::future::try_join_all;
use image::{ImageFormat, Rgb, RgbImage};
use serde_json::{Value, json};
use shared::{
    App,
    domain::{
        ArticleId, ClothId, CommentId, DAY, DeviceId, GalleryId, GameId, Gender, MasterId, MediaId, MerchantId, Millis,
        OrderId, Page, Password, Phone, PictureId, Refusal, SmsLimits, StoredPassword, Subject, SubjectKind, System,
        TicketId, UserId,
        picture::{Format, GALLERY, Picture, Rendition},
        token::{DEVELOPMENT_KEY, Token, TokenKeys},
    },
    store::{Changes, Mark, SignUp, Vote},
};

use crate::{Plaza, StartError};

/// Felix, who is there from the start, as are Anna, Bo, Mei and Kai with the next numbers and the same password.
pub const PHONE: &str = "13800138000";
pub const PASSWORD: &str = "plaza2026";
/// Who can be signed in as: name and phone.
pub const PEOPLE: [(&str, &str); 5] =
    [("felix", PHONE), ("anna", "13800138001"), ("bo", BOS_PHONE), ("mei", "13800138003"), ("kai", "13800138004")];
/// Signs Felix in by document B.
pub const DEVICE: &str = "sample-device-of-felix";
pub const REVIEW_ACCOUNT: &str = "reviewer";
pub const REVIEW_PASSWORD: &str = "review2026";
pub const VERSION_UNDER_REVIEW: &str = "9.9.9";
/// A phone that nobody has, whose code is always [`CODE`]; so is the code of Bo's and of Felix's.
pub const RESERVED_PHONE: &str = "13900139000";
const BOS_PHONE: &str = "13800138002";
pub const CODE: &str = "123456";

/// When the sample was made: 2026-01-01.
const THEN: u64 = 1_767_225_600_000;
/// When operators brought what is in [`CONTENTS`], after what people said of each other.
const BROUGHT: u64 = THEN + 64_000;
/// The sample event of the function that brings content.
const CONTENTS: &str = include_str!("../../events/catalogue/sample.json");
/// How far from now the fixed codes are sent, so that they do not expire.
const FAR: u64 = 20_000 * DAY;

/// Fills the table where the sample is missing, and sends the fixed codes again.
pub async fn load(plaza: &Plaza, http: SharedHttpClient) -> Result<(), StartError> {
    let failed = |refusal: Refusal| StartError::Sample(refusal.to_string());
    let at = |time: u64| {
        let clock = Arc::new(AtomicU64::new(time));
        let app = crate::app(&plaza.environment, system(clock.clone()), http.clone())?;
        Ok::<_, StartError>(Sample { app, clock })
    };
    at(THEN)?.community(at(BROUGHT)?).await.map_err(failed)?;
    let later = at(plaza.app.system.now() + FAR)?;
    for number in [RESERVED_PHONE, BOS_PHONE, PHONE] {
        match later.app.store.new_sms_code(&phone(number), number, SmsLimits::NONE).await {
            // Sent at the last start.
            Ok(_) | Err(Refusal::TooMany(_)) => {}
            Err(no) => return Err(failed(no)),
        }
    }
    Ok(())
}

/// Makes the sample, one thing a second, so that each has the same id everywhere and is made only once.
struct Sample {
    app: Arc<App>,
    clock: Arc<AtomicU64>,
}

impl Sample {
    /// Five users who follow each other, with galleries, articles and what they say to them. Bo comes last: where he
    /// is, nothing is missing, and what people have changed or deleted since stays as they want it.
    async fn community(&self, operators: Sample) -> Result<(), Refusal> {
        let store = &self.app.store;
        if store.profile(UserId::fresh(&self.app.system)).await?.is_some() {
            return Ok(());
        }
        let contents = tokio::spawn(async move { operators.contents().await });
        let felix = self.user(PHONE, "felix", Gender::Male, "Mountains, mostly.").await?;
        let anna = self.user("13800138001", "anna", Gender::Female, "I draw what I see from the train.").await?;
        let skies = [[220, 120, 60], [90, 110, 200], [200, 80, 140], [60, 160, 120]];
        let mountains = self.gallery(felix, "Mountains", &skies).await?;
        self.gallery(felix, "Sea", &[[40, 120, 200], [30, 90, 120]]).await?;
        self.gallery(anna, "From the train", &[[180, 180, 90], [120, 90, 60], [90, 140, 90]]).await?;
        store.give_heart(anna, mountains).await?;

        let mei = self.user("13800138003", "mei", Gender::Female, "Paper, ink, tea.").await?;
        let kai = self.user("13800138004", "kai", Gender::Male, "Up before the sun.").await?;
        for (follower, followee) in
            [(anna, felix), (felix, anna), (mei, felix), (mei, anna), (kai, anna), (kai, mei), (felix, mei)]
        {
            self.tick();
            store.follow(follower, followee).await?;
        }
        let first = self.article(felix, "First light. Nobody else was up there.", &[[220, 120, 60]]).await?;
        let train = self.article(anna, "Between two tunnels I had forty seconds.", &[[180, 180, 90]]).await?;
        self.article(mei, "Which paper do you take for wet ink? Mine buckles.", &[]).await?;
        let harbour = self.article(kai, "The harbour at five: gulls, nets, one radio.", &[[40, 120, 200]]).await?;
        self.article(anna, "Three sketches of the same hill.", &[[120, 90, 60], [90, 140, 90], [200, 160, 90]]).await?;
        let storm = self.article(felix, "It was over before I had the tripod up.", &[[90, 110, 200]]).await?;
        for (user, article, mark) in [
            (anna, first, Mark::Like),
            (mei, first, Mark::Like),
            (kai, first, Mark::Collect),
            (felix, train, Mark::Like),
            (felix, harbour, Mark::Collect),
            (mei, harbour, Mark::Like),
            (anna, storm, Mark::Like),
        ] {
            self.tick();
            store.mark(mark, user, article).await?;
        }
        let whereabouts = self.comment(anna, storm, "Where is that?", None).await?;
        let ridge = self.comment(felix, storm, "The ridge behind the lake, from the north.", Some(whereabouts)).await?;
        self.comment(anna, storm, "Next time I am coming with you.", Some(ridge)).await?;
        self.comment(mei, train, "Forty seconds and a steady hand!", None).await?;
        self.tick();
        store.vote_on_comment(mei, SubjectKind::Article, ridge, Vote::Up).await?;
        contents.await.map_err(|_| Refusal::Internal)??;
        self.clock.store(BROUGHT, Ordering::Relaxed);
        store.put_under_review(VERSION_UNDER_REVIEW).await?;
        self.reviewer().await?;
        self.players(felix, anna).await?;
        self.orders(felix).await?;
        self.messages(felix, anna).await?;
        let device = DeviceId::parse(DEVICE).ok_or(Refusal::Internal)?;
        store.tie_device(&device, &store.log_in_vouched(felix).await?.session()).await?;
        self.tick();
        store.follow(felix, MasterId(1)).await?;
        store.follow(felix, MerchantId(1)).await?;
        store.mark(Mark::Collect, felix, ClothId(3)).await?;
        self.clock.store(THEN, Ordering::Relaxed);
        self.user_now(BOS_PHONE, "bo", Gender::Male, "Here to look.").await.map(drop)
    }

    /// What operators brought, and its pictures: by the function that they call.
    async fn contents(&self) -> Result<(), Refusal> {
        let records = records(false)?;
        let named = records.iter().flat_map(|record| ["image", "avatar", "logo"].map(|field| record[field].as_str()));
        let images: BTreeSet<&str> = named.flatten().collect();
        let publish = async |image: &str| {
            // Another sky for each.
            let sky =
                [3, 5, 7].map(|by| image.bytes().fold(0, |sum: u8, byte| sum.wrapping_mul(by).wrapping_add(byte)));
            let picture = Rendition { bytes: landscape(sky, (160, 120), ImageFormat::Jpeg), format: Format::Jpeg };
            self.app.media().publish_picture(&MediaId(image.to_owned()), picture).await
        };
        try_join_all(images.into_iter().map(publish)).await?;
        self.import(&records).await
    }

    async fn import(&self, records: &[Value]) -> Result<(), Refusal> {
        let event = serde_json::from_value(json!({ "records": records })).map_err(|_| Refusal::Internal)?;
        let answer = catalogue::handle(&self.app, event, Millis::MAX).await;
        if answer.refused.is_empty() { Ok(()) } else { Err(Refusal::Internal) }
    }

    /// What Felix and Anna write, and what is answered.
    async fn messages(&self, felix: UserId, anna: UserId) -> Result<(), Refusal> {
        let written = [
            (felix, MasterId(1).into(), "Is there a place left on Friday?"),
            (felix, MerchantId(2).into(), "Do you post the robe abroad?"),
            (anna, felix.into(), "Which lens was that, over the ridge?"),
            (felix, anna.into(), "The long one. Come along next time!"),
        ];
        for (from, to, content) in written {
            self.tick();
            let (_, there) = self.app.store.messages(from, &[to], Page::first(100)).await?;
            if there.iter().all(|message| message.content != content) {
                self.app.store.send_message(from, to, content).await?;
            }
        }
        for record in records(true)? {
            self.tick();
            self.import(&[record]).await?;
        }
        Ok(())
    }

    /// What Felix and Anna say and think of what operators brought.
    async fn players(&self, felix: UserId, anna: UserId) -> Result<(), Refusal> {
        let store = &self.app.store;
        let (lanterns, river) = (GameId(1), GameId(2));
        self.comment(anna, lanterns, "Who brings the lanterns?", None).await?;
        self.comment(felix, lanterns, "I do. Friday at seven?", None).await?;
        let marks: [(Mark, Subject); 3] =
            [(Mark::Like, river.into()), (Mark::Collect, river.into()), (Mark::Collect, ClothId(2).into())];
        for (mark, subject) in marks {
            self.tick();
            store.mark(mark, felix, subject).await?;
        }
        let (songs, snake) = (TicketId(101), TicketId(201));
        self.comment(felix, songs, "Is the last row still good?", None).await?;
        self.comment(anna, songs, "You hear every word there.", None).await?;
        self.comment(felix, snake, "Who comes along?", None).await?;
        Ok(())
    }

    /// What Felix bought, what he let go, and what is in his cart.
    async fn orders(&self, felix: UserId) -> Result<(), Refusal> {
        let store = &self.app.store;
        for (tickets, is_paid) in [([301, 302], true), ([303, 304], false)] {
            self.tick();
            if store.order(felix, OrderId::fresh(&self.app.system)).await.is_ok() {
                continue;
            }
            let order = store.place_order(felix, &tickets.map(TicketId), false, None).await?;
            if is_paid && let Some(order) = store.begin_charge(felix, order).await? {
                store.charge_approved(&order).await?;
            }
        }
        for ticket in [401, 402] {
            self.tick();
            store.add_to_cart(felix, TicketId(ticket)).await?;
        }
        Ok(())
    }

    fn tick(&self) {
        self.clock.fetch_add(1000, Ordering::Relaxed);
    }

    async fn user(&self, number: &str, name: &str, gender: Gender, intro: &str) -> Result<UserId, Refusal> {
        self.tick();
        self.user_now(number, name, gender, intro).await
    }

    async fn user_now(&self, number: &str, name: &str, gender: Gender, intro: &str) -> Result<UserId, Refusal> {
        let (store, system) = (&self.app.store, &self.app.system);
        if let Some(user) = store.profile(UserId::fresh(system)).await? {
            return Ok(user.id);
        }
        match store.new_sms_code(&phone(number), number, SmsLimits::NONE).await {
            // From a start that ended right here.
            Ok(_) | Err(Refusal::TooMany(_)) => {}
            Err(no) => return Err(no),
        }
        let code = store.prove_code(phone(number), CODE).await?;
        let password = StoredPassword::hash(&Password::new_letters_and_digits(PASSWORD)?, system.random())?;
        let (nickname, intro) = (Some(name.to_owned()), Some(intro.to_owned()));
        let first = Changes { nickname, intro, gender: Some(gender), ..Changes::default() };
        Ok(store.create_user(&SignUp::Phone(code), Some(password), first).await?.id)
    }

    async fn reviewer(&self) -> Result<(), Refusal> {
        self.tick();
        if self.app.store.profile(UserId::fresh(&self.app.system)).await?.is_none() {
            let password = StoredPassword::hash(&Password::typed(REVIEW_PASSWORD), self.app.system.random())?;
            let by = SignUp::Review(REVIEW_ACCOUNT.into());
            self.app.store.create_user(&by, Some(password), Changes::default()).await?;
        }
        Ok(())
    }

    async fn article(&self, author: UserId, content: &str, skies: &[[u8; 3]]) -> Result<ArticleId, Refusal> {
        self.tick();
        match self.app.store.article(ArticleId::fresh(&self.app.system)).await {
            Ok(article) => Ok(article.id),
            Err(Refusal::NoSuch(_)) => {
                let mut images = vec![];
                for sky in skies {
                    images.push(self.picture(author, *sky).await?);
                }
                self.app.store.own_files(author, &images).await?;
                self.app.store.publish_article(author, content, images).await
            }
            Err(no) => Err(no),
        }
    }

    async fn comment(
        &self,
        user: UserId,
        on: impl Into<Subject>,
        content: &str,
        reply_to: Option<CommentId>,
    ) -> Result<CommentId, Refusal> {
        self.tick();
        let on = on.into();
        match self.app.store.comment(on, CommentId::fresh(&self.app.system)).await? {
            Some(comment) => Ok(comment.id),
            None => self.app.store.publish_comment(user, on, content, reply_to.map(|id| (id, None))).await,
        }
    }

    async fn picture(&self, owner: UserId, sky: [u8; 3]) -> Result<MediaId, Refusal> {
        let [picture] = Picture::open(&landscape(sky, (320, 240), ImageFormat::Png), "image")?.fit([GALLERY]);
        self.app.new_picture(owner, picture).await
    }

    async fn gallery(&self, owner: UserId, title: &str, skies: &[[u8; 3]]) -> Result<GalleryId, Refusal> {
        let (store, system) = (&self.app.store, &self.app.system);
        self.tick();
        let id = match store.own_gallery(owner, GalleryId::fresh(system)).await {
            Ok(gallery) => gallery.id,
            Err(Refusal::NoSuch(_)) => store.create_gallery(owner, title).await?,
            Err(no) => return Err(no),
        };
        for sky in skies {
            self.tick();
            if store.picture(PictureId::fresh(system)).await?.is_none() {
                let media = self.picture(owner, *sky).await?;
                store.add_picture(owner, store.own_gallery(owner, id).await?, media).await?;
            }
        }
        Ok(id)
    }
}

/// What operators bring: their messages, which come after what they answer, or all else.
fn records(are_messages: bool) -> Result<Vec<Value>, Refusal> {
    let mut event: Value = serde_json::from_str(CONTENTS).map_err(|_| Refusal::Internal)?;
    let Value::Array(mut records) = event["records"].take() else { return Err(Refusal::Internal) };
    records.retain(|record| (record["kind"] == "message") == are_messages);
    Ok(records)
}

/// Three ridges under a sky of this colour.
fn landscape(sky: [u8; 3], (width, height): (u32, u32), format: ImageFormat) -> Vec<u8> {
    let seed = f32::from(sky[0]) + f32::from(sky[1]) / 10.0;
    // Of a picture of 240 rows.
    let scale = height as f32 / 240.0;
    let ridge = |x: u32, depth: f32| {
        let x = x as f32 / scale;
        scale * (90.0 + 40.0 * depth + 22.0 * (x / (50.0 - 9.0 * depth) + seed * depth).sin())
    };
    // A colour's light, by how many ridges lie before it.
    let lights = [1.0, 0.52, 0.34, 0.16].map(|light| sky.map(|colour| (f32::from(colour) * light) as u8));
    let mut picture = RgbImage::new(width, height);
    for x in 0..width {
        let ridges = [1.0, 2.0, 3.0].map(|depth| ridge(x, depth) as u32);
        for y in 0..height {
            picture.put_pixel(x, y, Rgb(lights[ridges.iter().filter(|ridge| y > **ridge).count()]));
        }
    }
    let mut file = vec![];
    picture.write_to(&mut Cursor::new(&mut file), format).expect("memory takes it");
    file
}

fn phone(number: &str) -> Phone {
    Phone::parse(number).expect("the sample's phones are well-formed")
}

/// A token of Felix that ends in 2096: what the sample events carry. Signed by the development key, so that nothing
/// deployed accepts it. `id` tells it from the one that the log-out event ends.
pub fn token(user: UserId, id: &str) -> String {
    let token = Token { user, id: id.into(), epoch: 0, expires: THEN + 70 * 366 * DAY };
    let keys = TokenKeys::new(DEVELOPMENT_KEY, None).expect("long enough");
    keys.sign(&token, THEN).expect("a token")
}

/// Chance is the same at each start; every code comes out as [`CODE`], and an id is told by its time alone.
fn system(clock: Arc<AtomicU64>) -> System {
    let chance = AtomicU64::new(clock.load(Ordering::Relaxed));
    System::new(
        move || clock.load(Ordering::Relaxed),
        move |bytes| match bytes.len() {
            2 => bytes.fill(0),
            4 => bytes.copy_from_slice(&123_456_u32.to_le_bytes()),
            _ => bytes.chunks_mut(8).for_each(|bytes| {
                // splitmix64
                let mut word = chance.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
                word = (word ^ word >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                word = (word ^ word >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
                bytes.copy_from_slice(&(word ^ word >> 31).to_le_bytes()[..bytes.len()]);
            }),
        },
    )
}
