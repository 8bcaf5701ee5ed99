//! What an empty data folder is filled with: what a new user's first calls and the static sample events need. It is
//! made by the functions' own verbs, at a time and by a chance that are fixed, so that it is the same everywhere.
use std::{
    io::Cursor,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use image::{ImageFormat, Rgb, RgbImage};
use shared::{
    App,
    domain::{
        DAY, GalleryId, Gender, Password, Phone, PictureId, Refusal, StoredPassword, UserId, World,
        picture::{GALLERY, Picture},
        token::{DEVELOPMENT_KEY, Token, TokenKeys},
    },
    store::{CameBy, Changes},
};

use crate::{Plaza, StartError};

/// Felix, who is there from the start, as are Anna and Bo with the next two numbers and the same password.
pub const PHONE: &str = "13800138000";
pub const PASSWORD: &str = "plaza2026";
/// A phone that nobody has, whose code is always [`CODE`].
pub const RESERVED_PHONE: &str = "13900139000";
pub const CODE: &str = "123456";

/// When the sample was made: 2026-01-01.
const THEN: u64 = 1_767_225_600_000;
/// How far from now the reserved phone's code is sent, so that it does not expire.
const FAR: u64 = 20_000 * DAY;

/// Fills the table where the sample is missing, and sends the reserved phone its code again.
pub async fn load(plaza: &Plaza, http: SharedHttpClient) -> Result<(), StartError> {
    let failed = |refusal: Refusal| StartError::Sample(refusal.to_string());
    let at = |time: u64| {
        let clock = Arc::new(AtomicU64::new(time));
        let app = crate::app(&plaza.environment, world(clock.clone()), http.clone())?;
        Ok::<_, StartError>(Sample { app, clock })
    };
    at(THEN)?.community().await.map_err(failed)?;
    match at(plaza.app.world.now() + FAR)?.app.store.new_sms_code(&phone(RESERVED_PHONE), u64::MAX).await {
        // Sent at the last start.
        Ok(_) | Err(Refusal::TooMany(_)) => Ok(()),
        Err(no) => Err(failed(no)),
    }
}

/// Makes the sample, one thing a second, so that each has the same id everywhere and is made only once.
struct Sample {
    app: Arc<App>,
    clock: Arc<AtomicU64>,
}

impl Sample {
    /// Three users; galleries of two of them; a heart. Bo comes last: where he is, nothing is missing, and what people
    /// have changed or deleted since stays as they want it.
    async fn community(&self) -> Result<(), Refusal> {
        if self.app.store.profile(UserId::fresh(&self.app.world)).await?.is_some() {
            return Ok(());
        }
        let felix = self.user(PHONE, "felix", Gender::Male, "Mountains, mostly.").await?;
        let anna = self.user("13800138001", "anna", Gender::Female, "I draw what I see from the train.").await?;
        let skies = [[220, 120, 60], [90, 110, 200], [200, 80, 140], [60, 160, 120]];
        let mountains = self.gallery(felix, "Mountains", &skies).await?;
        self.gallery(felix, "Sea", &[[40, 120, 200], [30, 90, 120]]).await?;
        self.gallery(anna, "From the train", &[[180, 180, 90], [120, 90, 60], [90, 140, 90]]).await?;
        self.app.store.give_heart(anna, mountains).await?;
        self.clock.store(THEN, Ordering::Relaxed);
        self.user_now("13800138002", "bo", Gender::Male, "Here to look.").await.map(drop)
    }

    fn tick(&self) {
        self.clock.fetch_add(1000, Ordering::Relaxed);
    }

    async fn user(&self, number: &str, name: &str, gender: Gender, intro: &str) -> Result<UserId, Refusal> {
        self.tick();
        self.user_now(number, name, gender, intro).await
    }

    async fn user_now(&self, number: &str, name: &str, gender: Gender, intro: &str) -> Result<UserId, Refusal> {
        let (store, world) = (&self.app.store, &self.app.world);
        if let Some(user) = store.profile(UserId::fresh(world)).await? {
            return Ok(user.id);
        }
        match store.new_sms_code(&phone(number), u64::MAX).await {
            // From a start that ended right here.
            Ok(_) | Err(Refusal::TooMany(_)) => {}
            Err(no) => return Err(no),
        }
        let code = store.prove_code(phone(number), CODE, "code").await?;
        let password = StoredPassword::hash(&Password::new_letters_and_digits(PASSWORD)?, world.random())?;
        let id = store.create_user(&CameBy::Phone(code), Some(password)).await?.id;
        let (nickname, intro) = (Some(name.to_owned()), Some(intro.to_owned()));
        store.change_profile(id, Changes { nickname, intro, gender: Some(gender), ..Changes::default() }).await?;
        Ok(id)
    }

    async fn gallery(&self, owner: UserId, title: &str, skies: &[[u8; 3]]) -> Result<GalleryId, Refusal> {
        let (store, world) = (&self.app.store, &self.app.world);
        self.tick();
        let id = match store.own_gallery(owner, GalleryId::fresh(world)).await {
            Ok(gallery) => gallery.id,
            Err(Refusal::NoSuch(_)) => store.create_gallery(owner, title).await?,
            Err(no) => return Err(no),
        };
        for sky in skies {
            self.tick();
            if store.picture(PictureId::fresh(world)).await?.is_none() {
                let [picture] = Picture::open(&landscape(*sky), "image")?.fit([GALLERY]);
                let media = self.app.media().publish(picture).await?;
                store.add_picture(owner, store.own_gallery(owner, id).await?, media).await?;
            }
        }
        Ok(id)
    }
}

/// Three ridges under a sky of this colour, as a PNG.
fn landscape(sky: [u8; 3]) -> Vec<u8> {
    const SIDES: (u32, u32) = (320, 240);
    let seed = f32::from(sky[0]) + f32::from(sky[1]) / 10.0;
    let ridge =
        |x: u32, depth: f32| 90.0 + 40.0 * depth + 22.0 * (x as f32 / (50.0 - 9.0 * depth) + seed * depth).sin();
    // A colour's light, by how many ridges lie before it.
    let lights = [1.0, 0.52, 0.34, 0.16].map(|light| sky.map(|colour| (f32::from(colour) * light) as u8));
    let mut picture = RgbImage::new(SIDES.0, SIDES.1);
    for x in 0..SIDES.0 {
        let ridges = [1.0, 2.0, 3.0].map(|depth| ridge(x, depth) as u32);
        for y in 0..SIDES.1 {
            picture.put_pixel(x, y, Rgb(lights[ridges.iter().filter(|ridge| y > **ridge).count()]));
        }
    }
    let mut png = vec![];
    picture.write_to(&mut Cursor::new(&mut png), ImageFormat::Png).expect("memory takes it");
    png
}

fn phone(number: &str) -> Phone {
    Phone::new("86", number).expect("the sample's phones are well-formed")
}

/// A token of Felix that ends in 2096: what the sample events carry. Signed by the development key, so that nothing
/// deployed accepts it. `id` tells it from the one that the log-out event ends.
pub fn token(user: UserId, id: &str) -> String {
    let token = Token { user, id: id.into(), epoch: 0, expires: THEN + 70 * 366 * DAY };
    let keys = TokenKeys::new(DEVELOPMENT_KEY, None).expect("long enough");
    keys.sign(&token, THEN).expect("a token")
}

/// Chance is the same at each start; every code comes out as [`CODE`], and an id is told by its time alone.
fn world(clock: Arc<AtomicU64>) -> World {
    let chance = AtomicU64::new(clock.load(Ordering::Relaxed));
    World::new(
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
