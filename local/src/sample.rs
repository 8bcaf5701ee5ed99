//! What an empty data folder is filled with: what a new user's first calls and the static sample events need. It is
//! made by the functions' own verbs, at a time and by a chance that are fixed, so that it is the same everywhere.
use std::{
    io::Cursor,
    sync::atomic::{AtomicU64, Ordering},
};

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use image::{ImageFormat, Rgb, RgbImage};
use shared::{
    App,
    domain::{
        DAY, GalleryId, Gender, Password, Phone, Refusal, StoredPassword, UserId, World,
        picture::{GALLERY, Picture},
        token::{DEVELOPMENT_KEY, Token, TokenKeys},
    },
    store::{Changes, NewUser},
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
        let lookup = plaza.environment.clone();
        let variable = Box::new(move |name: &str| lookup.get(name).cloned());
        App::new(variable, world(time), http.clone()).map_err(StartError::Environment)
    };
    match community(&*at(THEN)?).await {
        // The first step of all finds that the sample is there from the last time.
        Ok(()) | Err(Refusal::TooMany(_)) => {}
        Err(no) => return Err(failed(no)),
    }
    match at(plaza.app.world.now() + FAR)?.store.new_sms_code(&phone(RESERVED_PHONE), u64::MAX).await {
        // Sent at the last start.
        Ok(_) | Err(Refusal::TooMany(_)) => Ok(()),
        Err(no) => Err(failed(no)),
    }
}

/// Three users; galleries of two of them; a heart.
async fn community(app: &App) -> Result<(), Refusal> {
    let felix = user(app, PHONE, "felix", Gender::Male, "Mountains, mostly.").await?;
    let anna = user(app, "13800138001", "anna", Gender::Female, "I draw what I see from the train.").await?;
    user(app, "13800138002", "bo", Gender::Male, "Here to look.").await?;
    let mountains =
        gallery(app, felix, "Mountains", &[[220, 120, 60], [90, 110, 200], [200, 80, 140], [60, 160, 120]]).await?;
    gallery(app, felix, "Sea", &[[40, 120, 200], [30, 90, 120]]).await?;
    gallery(app, anna, "From the train", &[[180, 180, 90], [120, 90, 60], [90, 140, 90]]).await?;
    app.store.give_heart(anna, mountains).await
}

async fn user(app: &App, number: &str, name: &str, gender: Gender, intro: &str) -> Result<UserId, Refusal> {
    let code = app.store.new_sms_code(&phone(number), u64::MAX).await?;
    let code = app.store.prove_code(phone(number), &code, "code").await?;
    let password = StoredPassword::hash(&Password::new_letters_and_digits(PASSWORD)?, app.world.random())?;
    let new = NewUser { phone: Some(code), password: Some(password), ..NewUser::default() };
    let id = app.store.create_user(new).await?.id;
    let (nickname, intro) = (Some(name.to_owned()), Some(intro.to_owned()));
    app.store.change_profile(id, Changes { nickname, intro, gender: Some(gender), ..Changes::default() }).await?;
    Ok(id)
}

async fn gallery(app: &App, owner: UserId, title: &str, skies: &[[u8; 3]]) -> Result<GalleryId, Refusal> {
    let id = app.store.create_gallery(owner, title).await?;
    for sky in skies {
        let [picture] = Picture::open(&landscape(*sky), "image")?.fit([GALLERY]);
        let media = app.media().publish(picture).await?;
        app.store.add_picture(owner, app.store.own_gallery(owner, id).await?, media).await?;
    }
    Ok(id)
}

/// Three ridges under a sky of this colour, as a PNG.
fn landscape(sky: [u8; 3]) -> Vec<u8> {
    const SIDES: (u32, u32) = (320, 240);
    let seed = f32::from(sky[0]) + f32::from(sky[1]) / 10.0;
    let picture = RgbImage::from_fn(SIDES.0, SIDES.1, |x, y| {
        let ridge = |depth: f32| 90.0 + 40.0 * depth + 22.0 * (x as f32 / (50.0 - 9.0 * depth) + seed * depth).sin();
        let depth = [3.0, 2.0, 1.0].into_iter().find(|depth| y as f32 > ridge(*depth));
        let light = depth.map_or(1.0 - 0.3 * y as f32 / SIDES.1 as f32, |depth| 0.7 - 0.18 * depth);
        Rgb(sky.map(|colour| (f32::from(colour) * light) as u8))
    });
    let mut png = vec![];
    picture.write_to(&mut Cursor::new(&mut png), ImageFormat::Png).expect("memory takes it");
    png
}

fn phone(number: &str) -> Phone {
    Phone::new("86", number).expect("the sample's phones are well-formed")
}

/// A token of Felix that ends in 2096: what the sample events carry. Signed by the development key, so that nothing
/// deployed accepts it.
pub fn token(user: UserId) -> String {
    let token = Token { user, id: "sample".into(), epoch: 0, expires: THEN + 70 * 366 * DAY };
    let keys = TokenKeys::new(DEVELOPMENT_KEY, None).expect("long enough");
    keys.sign(&token, THEN).expect("a token")
}

/// A second passes at each look; chance is the same at each start, but every code comes out as [`CODE`].
fn world(time: u64) -> World {
    let (clock, chance) = (AtomicU64::new(time), AtomicU64::new(time));
    World::new(
        move || clock.fetch_add(1000, Ordering::Relaxed),
        move |bytes| match bytes.len() {
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
