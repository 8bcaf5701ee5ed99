//! Users: who they are, and which phone, e-mail or identity leads to them.
use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::types::AttributeValue;
use serde::{Deserialize, Serialize};
use serde_dynamo::{to_attribute_value, to_item};
use serde_json::{Value, json};

use super::{
    contents::Imported,
    keys,
    media::{self, MediaRecord},
    sessions::Auth,
    sms_codes::ProvedCode,
    table::{Action, Item, NEW, Outcome, Store, THERE, assignments, named, number, read, text, unreadable},
};
use crate::{
    domain::{
        Account, DAY, Degree, DeviceId, Email, Gender, Job, Marriage, MediaId, Millis, OnlinePeriod, Phone, Refusal,
        SexAttitude, StoredPassword, Thing, UserId,
    },
    meter::{Happened, happened},
    words,
};

/// What is known of a user.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    pub id: UserId,
    pub created_at: Millis,
    pub nickname: String,
    /// Only users whom an operator brought have one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gender: Option<Gender>,
    /// The one that logs in: it was proved by SMS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    /// One that the user gave without proof: shown, until somebody proves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    claimed_phone: Option<Phone>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// The partition of the third party's identity or the review account that leads to the user.
    #[serde(skip_serializing_if = "Option::is_none")]
    came_by: Option<String>,
    /// The avatar in two sizes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub avatar: Option<MediaId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub large_avatar: Option<MediaId>,
    /// Document A's `desc`, B's `signature`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intro: Option<String>,
    /// Looks for work (1) or not (0): document A's attribute.
    pub job_status: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub province: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// Milliseconds since 1970, or before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub birthday: Option<i64>,
    /// In years, as a member of document B says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub age: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sex_attitude: Option<SexAttitude>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<Job>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub degree: Option<Degree>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub marriage: Option<Marriage>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub online_period: Option<OnlinePeriod>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video_price: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_price: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub background: Option<MediaId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_intro: Option<MediaId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub video_chat: Option<MediaId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio_chat: Option<MediaId>,
    /// Until when the user is a VIP, by an operator's grants.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vip_until: Option<Millis>,
    /// What gifts have brought, in fen.
    pub profit: u64,
}

/// The attributes of a profile that name files.
const FILES: [&str; 6] = ["avatar", "large_avatar", "background", "audio_intro", "video_chat", "audio_chat"];

impl Profile {
    pub fn is_vip(&self, now: Millis) -> bool {
        self.vip_until.is_some_and(|until| now < until)
    }

    /// As their own export tells it. `link`: where a file is served.
    pub(super) fn told(&self, link: &(dyn Fn(&MediaId) -> String + Sync)) -> Value {
        let url = |id: &Option<MediaId>| id.as_ref().map(link);
        json!({
            "uid": self.id.hex(), "created_at": self.created_at, "nickname": self.nickname,
            "username": self.username, "phone": self.phone.as_ref().map(Phone::to_string),
            "claimed_phone": self.claimed_phone.as_ref().map(Phone::to_string),
            "email": self.email.as_ref().map(Email::as_str), "came_by": self.came_by, "gender": self.gender,
            "avatar": url(&self.avatar), "large_avatar": url(&self.large_avatar), "intro": self.intro,
            "job_status": self.job_status, "province": self.province, "city": self.city, "birthday": self.birthday,
            "age": self.age, "sex_attitude": self.sex_attitude, "job": self.job, "degree": self.degree,
            "marriage": self.marriage, "online_period": self.online_period, "video_price": self.video_price,
            "audio_price": self.audio_price, "background": url(&self.background), "audio_intro": url(&self.audio_intro),
            "video_chat": url(&self.video_chat), "audio_chat": url(&self.audio_chat), "vip_until": self.vip_until,
            "profit": self.profit,
        })
    }

    /// All keys that lead to the user but their devices'.
    pub(super) fn names(&self) -> Vec<keys::Key> {
        let names = [
            self.phone.as_ref().map(keys::phone),
            self.email.as_ref().map(keys::email),
            self.username.as_deref().map(keys::name),
            self.came_by.clone().map(keys::alone),
        ];
        names.into_iter().flatten().collect()
    }

    /// The condition that the names and files which may change are still these, with its values.
    pub(super) fn same_links(&self) -> Result<(String, Item), Refusal> {
        let (mut condition, mut values) = (THERE.to_owned(), Item::new());
        let phone = self.phone.as_ref().map(to_attribute_value).transpose().map_err(unreadable)?;
        let email = self.email.as_ref().map(|email| text(email.as_str()));
        let files = FILES.into_iter().zip(self.files().map(|file| file.map(|file| text(&file.0))));
        for (name, value) in [("phone", phone), ("email", email)].into_iter().chain(files) {
            condition += &match value {
                Some(value) => {
                    values.insert(format!(":old_{name}"), value);
                    format!(" AND {name} = :old_{name}")
                }
                None => format!(" AND attribute_not_exists({name})"),
            };
        }
        Ok((condition, values))
    }

    /// What stands in [`FILES`].
    fn files(&self) -> [Option<&MediaId>; 6] {
        let Self { avatar, large_avatar, background, audio_intro, video_chat, audio_chat, .. } = self;
        [avatar, large_avatar, background, audio_intro, video_chat, audio_chat].map(Option::as_ref)
    }

    /// Whole days, rounded up.
    pub fn vip_left(&self, now: Millis) -> u64 {
        self.vip_until.map_or(0, |until| until.saturating_sub(now).div_ceil(DAY))
    }
}

/// Who a name belongs to.
#[derive(Serialize, Deserialize)]
struct Holder {
    holder: UserId,
}

/// Whose a user name is, and what the operator called them: they may call themself otherwise since.
#[derive(Serialize, Deserialize)]
struct ImportedName {
    holder: UserId,
    nickname: String,
}

/// What first leads to a user.
pub enum SignUp {
    Phone(ProvedCode),
    Device(DeviceId),
    /// An account for reviewers of the app, by its name.
    Review(String),
    /// A user name, by an operator alone.
    Name(String),
    /// The provider's name, and the user's there.
    ThirdParty(&'static str, String),
}

/// What to change of a profile; `None` leaves it. The attributes are named as in [`Profile`].
#[derive(Default, Serialize)]
pub struct Changes {
    pub nickname: Option<String>,
    pub gender: Option<Gender>,
    /// Forgets the gender.
    #[serde(skip)]
    pub no_gender: bool,
    pub intro: Option<String>,
    pub job_status: Option<u8>,
    pub avatar: Option<MediaId>,
    pub large_avatar: Option<MediaId>,
    pub province: Option<String>,
    pub city: Option<String>,
    pub birthday: Option<i64>,
    pub age: Option<u8>,
    pub sex_attitude: Option<SexAttitude>,
    pub job: Option<Job>,
    pub degree: Option<Degree>,
    pub marriage: Option<Marriage>,
    pub online_period: Option<OnlinePeriod>,
    pub video_price: Option<u32>,
    pub audio_price: Option<u32>,
    pub background: Option<MediaId>,
    pub audio_intro: Option<MediaId>,
    pub video_chat: Option<MediaId>,
    pub audio_chat: Option<MediaId>,
    #[serde(skip)]
    pub email: Option<Email>,
    #[serde(skip)]
    pub phone: Option<PhoneChange>,
}

impl Changes {
    /// The attributes to set and those to forget, but for the names that are unique. An empty text is none.
    fn plain(&self) -> Result<(Item, Vec<String>), Refusal> {
        let all: Item = to_item(self).map_err(unreadable)?;
        let given = all.into_iter().filter(|(_, value)| !value.is_null());
        let (forgotten, set): (Item, Item) = given.partition(|(_, value)| value.as_s().is_ok_and(String::is_empty));
        let gender = self.no_gender.then(|| "gender".to_owned());
        Ok((set, forgotten.into_keys().chain(gender).collect()))
    }
}

pub enum PhoneChange {
    /// Shown, but logs nobody in.
    Claimed(Phone),
    /// In place of the one before.
    Proved(ProvedCode),
}

pub(super) const FREE_OR_MINE: &str = "attribute_not_exists(pk) OR holder = :me";

impl Store {
    /// The user whom a phone, e-mail, name or identity leads to.
    pub(super) async fn whose(&self, key: keys::Key) -> Result<Option<UserId>, Refusal> {
        Ok(self.get::<Holder>(key).await?.map(|found| found.holder))
    }

    /// One transaction: the user is there with all that leads to them, and the code is used up, or nothing happened.
    /// `first` is what they say of themself at once; without a nickname they get one. 3200 where the code was used
    /// meanwhile, 3400 where the phone is somebody's, 409 where what they came by is.
    pub async fn create_user(
        &self,
        by: &SignUp,
        password: Option<StoredPassword>,
        first: Changes,
    ) -> Result<Profile, Refusal> {
        let ((first, _), password) = (&first.plain()?, &password);
        let build = |_| async move {
            let id = UserId::fresh(&self.system);
            let phone = match by {
                SignUp::Phone(code) => Some(code.phone.clone()),
                _ => None,
            };
            let username = match by {
                SignUp::Name(name) => Some(name.clone()),
                _ => None,
            };
            let came_by = match by {
                SignUp::Review(account) => Some(keys::account(&Account::Review(account.clone())).pk),
                SignUp::ThirdParty(provider, openid) => Some(keys::third_party(provider, openid).pk),
                _ => None,
            };
            let (created_at, nickname) = (self.system.now(), self.nickname());
            let profile = Profile { id, created_at, nickname, phone, username, came_by, ..Profile::default() };
            let mut profile: Item = to_item(&profile).map_err(unreadable)?;
            profile.extend(first.clone());
            let profile: Profile = read(profile)?;
            let auth = Auth { password: password.clone(), ..Auth::default() };
            let holder = |key| Action::put_new(key, &Holder { holder: id });
            let taken = Refusal::Conflict(words!("somebody has just come that way", "刚刚已有人以此注册"));
            let mut actions = vec![
                // Another user may have been made in this millisecond and have drawn the same chance.
                Action::put_new(keys::profile(id), &profile).or_again(),
                Action::put_new(keys::auth(id), &auth).or_again(),
            ];
            match by {
                SignUp::Phone(code) => actions
                    .extend([self.use_code(code), holder(keys::phone(&code.phone)).or_refuse(Refusal::PhoneTaken)]),
                SignUp::Device(device) => actions.extend(self.device_actions(device, id)),
                SignUp::Review(account) => {
                    actions.push(holder(keys::account(&Account::Review(account.clone()))).or_refuse(taken))
                }
                SignUp::Name(name) => {
                    let imported = ImportedName { holder: id, nickname: profile.nickname.clone() };
                    actions.push(Action::put_new(keys::name(name), &imported).or_refuse(taken))
                }
                SignUp::ThirdParty(provider, openid) => {
                    actions.push(holder(keys::third_party(provider, openid)).or_refuse(taken))
                }
            }
            Ok((actions, profile))
        };
        let profile = self.transact(build).await?;
        if !matches!(by, SignUp::Name(_)) {
            happened(Happened::SignUps);
        }
        Ok(profile)
    }

    /// Calls the user of this name so, unless an import has before: then they may call themself otherwise, and so it
    /// stays. None where there is no user of this name. One read, and a transaction where the nickname is another.
    pub async fn import_nickname(&self, name: &str, nickname: &str) -> Result<Option<Imported>, Refusal> {
        let key = &keys::name(name);
        let build = |_| async move {
            let Some(ImportedName { holder, nickname: old }) = self.get(key.clone()).await? else {
                return Ok((vec![], None));
            };
            if old == nickname {
                return Ok((vec![], Some(Imported::Unchanged)));
            }
            let set = |key| Action::update(key, "SET nickname = :new").with(":new", text(nickname));
            let named = set(key.clone()).when("holder = :holder AND nickname = :old");
            let named = named.with(":holder", number(holder.0)).with(":old", text(old)).or_again();
            Ok((vec![named, set(keys::profile(holder)).when(THERE).or_again()], Some(Imported::Written)))
        };
        self.transact(build).await
    }

    /// The user of a review account, with their password. Two rounds.
    pub async fn reviewer(&self, account: &str) -> Result<Option<(UserId, Option<StoredPassword>)>, Refusal> {
        let Some(user) = self.whose(keys::account(&Account::Review(account.to_owned()))).await? else {
            return Ok(None);
        };
        Ok(self.get::<Auth>(keys::auth(user)).await?.map(|auth| (user, auth.password)))
    }

    /// A new password that an operator has set; all sessions end, devices' included. One write.
    pub async fn set_password(&self, user: UserId, password: &StoredPassword) -> Result<(), Refusal> {
        let set = "SET password = :password, epoch = epoch + :one REMOVE ended, guesses, wrong, devices_from";
        let password = to_attribute_value(password).map_err(unreadable)?;
        let set = Action::update(keys::auth(user), set).when(THERE);
        match self.change(set.with(":password", password).with(":one", number(1))).await? {
            Outcome::Done(_) => Ok(()),
            Outcome::Refused(_) => Err(Refusal::NoSuch(Thing::User)),
        }
    }

    /// The user of a third party's identity, made at the first time, and whether this was it.
    pub async fn user_of_third_party(&self, provider: &'static str, openid: &str) -> Result<(UserId, bool), Refusal> {
        let key = keys::third_party(provider, openid);
        if let Some(user) = self.whose(key.clone()).await? {
            return Ok((user, false));
        }
        match self.create_user(&SignUp::ThirdParty(provider, openid.to_owned()), None, Changes::default()).await {
            Ok(profile) => Ok((profile.id, true)),
            // Two first times at once: the other one made the user.
            Err(Refusal::Conflict(_)) => Ok((self.whose(key).await?.ok_or(Refusal::Unavailable)?, false)),
            Err(no) => Err(no),
        }
    }

    /// `nick-` and eight letters and digits, which tell nothing of the phone.
    fn nickname(&self) -> String {
        const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz023456789";
        let letters = self.system.random::<8>().map(|byte| char::from(LETTERS[usize::from(byte % 32)]));
        format!("nick-{}", letters.iter().collect::<String>())
    }

    pub async fn profile(&self, user: UserId) -> Result<Option<Profile>, Refusal> {
        self.get(keys::profile(user)).await
    }

    /// Whose phone it is, proved by SMS.
    pub async fn user_of_phone(&self, phone: &Phone) -> Result<Option<UserId>, Refusal> {
        self.whose(keys::phone(phone)).await
    }

    /// What document E calls a user by: their name, or their phone, one that logs in before one that does not.
    pub async fn username(&self, profile: &Profile) -> Result<Option<String>, Refusal> {
        match (&profile.username, &profile.phone) {
            (Some(name), _) => Ok(Some(name.clone())),
            (None, Some(proved)) => Ok(Some(proved.to_string())),
            (None, None) => Ok(self.shown_phone(profile).await?.map(|phone| phone.to_string())),
        }
    }

    /// The phone that a user's own pages show: the claimed one, unless somebody else has proved it since.
    pub async fn shown_phone(&self, profile: &Profile) -> Result<Option<Phone>, Refusal> {
        match &profile.claimed_phone {
            Some(claimed) if self.whose(keys::phone(claimed)).await?.is_none() => Ok(Some(claimed.clone())),
            _ => Ok(profile.phone.clone()),
        }
    }

    /// Changes a profile and gives it back as it is now. One round; two where the phone or the e-mail changes, three where
    /// a file does, for what held the old one is let go in the same transaction.
    pub async fn change_profile(&self, user: UserId, changes: Changes) -> Result<Profile, Refusal> {
        let (set, remove) = changes.plain()?;
        let names_files = FILES.iter().any(|file| set.contains_key(*file) || remove.iter().any(|name| name == file));
        if changes.email.is_some() || changes.phone.is_some() || names_files {
            return self.change_links(user, set, remove, changes.email, changes.phone).await;
        }
        if set.is_empty() && remove.is_empty() {
            return self.get(keys::profile(user)).await?.ok_or(Refusal::NotSignedIn);
        }
        let update = Action::update(keys::profile(user), assignments(&set, &remove)).when(THERE).with_all(named(set));
        match self.change(update).await? {
            Outcome::Done(item) => read(item),
            Outcome::Refused(_) => Err(Refusal::NotSignedIn),
        }
    }

    /// The part of [`Store::change_profile`] where names that are unique change hands, or files come into use and out of it.
    async fn change_links(
        &self,
        user: UserId,
        plain: Item,
        plain_remove: Vec<String>,
        email: Option<Email>,
        phone: Option<PhoneChange>,
    ) -> Result<Profile, Refusal> {
        let (plain, plain_remove, email, phone) = (&plain, &plain_remove, &email, &phone);
        let build = |_| async move {
            let old: Profile = self.get(keys::profile(user)).await?.ok_or(Refusal::NotSignedIn)?;
            let (mut set, mut remove) = (plain.clone(), plain_remove.clone());
            let mut actions = vec![];
            let mine = |action: Action| action.when(FREE_OR_MINE).with(":me", number(user.0));
            let hold = |key| mine(Action::put(key, &Holder { holder: user }));
            // Where the user's own names changed while we looked, look again.
            let let_go = |key| mine(Action::delete(key)).or_again();
            match phone {
                Some(PhoneChange::Proved(code)) => {
                    actions.push(self.use_code(code));
                    actions.push(hold(keys::phone(&code.phone)).or_refuse(Refusal::PhoneTaken));
                    let others = old.phone.iter().filter(|old| **old != code.phone);
                    actions.extend(others.map(|old| let_go(keys::phone(old))));
                    set.insert("phone".into(), to_attribute_value(&code.phone).map_err(unreadable)?);
                    remove.push("claimed_phone".into());
                }
                Some(PhoneChange::Claimed(phone)) if Some(phone) == old.phone.as_ref() => {
                    remove.push("claimed_phone".into())
                }
                Some(PhoneChange::Claimed(phone)) => {
                    actions.push(Action::check(keys::phone(phone)).when(NEW).or_refuse(Refusal::PhoneTaken));
                    set.insert("claimed_phone".into(), to_attribute_value(phone).map_err(unreadable)?);
                }
                None => {}
            }
            if let Some(email) = email {
                if old.email.as_ref() != Some(email) {
                    actions.push(hold(keys::email(email)).or_refuse(Refusal::EmailTaken));
                    actions.extend(old.email.iter().map(|old| let_go(keys::email(old))));
                }
                set.insert("email".into(), AttributeValue::S(email.as_str().into()));
            }

            let mut whole: Item = to_item(&old).map_err(unreadable)?;
            let (same, values) = old.same_links()?;
            let update = Action::update(keys::profile(user), assignments(&set, &remove)).when(same).with_all(values);
            actions.push(update.with_all(named(set.clone())).or_again());
            whole.extend(set);
            remove.iter().for_each(|name| drop(whole.remove(name)));
            let new: Profile = read(whole)?;
            actions.extend(self.change_files(&old, &new).await?);
            Ok((actions, new))
        };
        self.transact(build).await
    }

    /// What it takes for files to be used as a profile names them. (Of what is no file of the user's, such as an icon that
    /// a member registered with, there is no record.) A round, where that changes.
    async fn change_files(&self, old: &Profile, new: &Profile) -> Result<Vec<Action>, Refusal> {
        let [was, is] =
            [old, new].map(|profile| profile.files().into_iter().flatten().cloned().collect::<BTreeSet<_>>());
        let changed: Vec<_> = was.symmetric_difference(&is).cloned().collect();
        if changed.is_empty() {
            return Ok(vec![]);
        }
        let records = self.media_of(old.id, &changed).await?;
        let change = |record: &MediaRecord| match is.contains(&record.id) {
            true => Some(self.use_media(old.id, &record.id, media::PROFILE)),
            false => self.release_media(record, &[media::PROFILE.to_owned()].into()),
        };
        Ok(records.iter().filter_map(change).collect())
    }

    /// Users' profiles, others' as they were a moment ago and the viewer's own as it is now; no user twice. One round,
    /// and another where somebody is so new that a moment ago they were not there.
    pub(super) async fn profiles(
        &self,
        viewer: UserId,
        users: impl IntoIterator<Item = UserId>,
    ) -> Result<HashMap<UserId, Profile>, Refusal> {
        let (own, others): (BTreeSet<_>, BTreeSet<_>) = users.into_iter().partition(|user| *user == viewer);
        let (own, mut profiles) =
            tokio::try_join!(self.get_each(own, keys::profile), self.get_each_lately(others, keys::profile))?;
        profiles.extend(own);
        Ok(profiles)
    }

    /// The same in the order of the users.
    pub(super) async fn profiles_in_order(
        &self,
        viewer: UserId,
        users: impl Iterator<Item = UserId> + Clone,
    ) -> Result<Vec<Profile>, Refusal> {
        let mut profiles = self.profiles(viewer, users.clone()).await?;
        Ok(users.filter_map(|user| profiles.remove(&user)).collect())
    }
}
