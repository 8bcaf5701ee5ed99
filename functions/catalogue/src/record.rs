//! What operators send: the fields of each kind, bounded as they are in requests.
use serde::{
    Deserialize, Deserializer,
    de::{self, DeserializeOwned, IntoDeserializer as _},
};
use serde_json::{Map, Value};
use shared::{
    domain::{
        Account, ArticleId, ClothId, CommentId, Email, GalleryId, GameId, MasterId, MerchantId, Password, PictureId,
        ProjectId, Refusal, Side, TicketId, UserId, Words, text::dialled,
    },
    store::{Banner, Cloth, Game, Master, Merchant, OperatorsMessage, Place, Project, TicketBatch},
    wire::{
        fields::{Fields, complaint},
        values::{Line, MediaKey, NamedUser, Nickname, Prose, Typed, Whole},
    },
    words,
};

/// What a JSON number can hold exactly.
const LARGEST_ID: i64 = (1 << 53) - 1;
/// A hundred million yuan: sums of prices and gifts stay exact, too.
const MOST_FEN: i64 = 10_000_000_000;
const MOST_TICKETS: i64 = 100_000;
const MOST_DAYS: i64 = 36_500;
const MOST_GIFTS: i64 = 1_000_000;

/// What can be imported.
pub const KINDS: &str = "banner, master, merchant, cloth, game, project, ticket, user, review_account, review_version, \
                     vip, gift, user_lock, user_erase, takedown, message";
/// Of these, what can be withdrawn.
const CONTENT: [&str; 9] =
    ["banner", "master", "merchant", "cloth", "game", "project", "ticket", "review_version", "message"];

/// A step's records may need those of the steps before.
pub const STEPS: usize = 6;

/// A record, typed.
pub enum Record {
    Banner { place: Place, banner: Banner, withdrawn: bool },
    Master { master: Master, withdrawn: bool },
    Merchant { merchant: Merchant, withdrawn: bool },
    Cloth { cloth: Cloth, withdrawn: bool },
    Game { game: Game, withdrawn: bool },
    Project { project: Project, withdrawn: bool },
    Tickets { batch: TicketBatch, withdrawn: bool },
    User { username: String, nickname: String, password: Password },
    Reviewer { account: String, password: Password },
    Review { version: String, withdrawn: bool },
    Vip { grant_id: String, user: UserId, days: u32 },
    Gift { gift_id: String, to: UserId, from: UserId, code: String, count: u64, value: u64 },
    Lock { user: UserId, locked: bool },
    Erase(UserId),
    Article(ArticleId),
    Comment(CommentId),
    Picture(PictureId),
    Gallery(GalleryId),
    Message { message: OperatorsMessage, withdrawn: bool },
}

type Id = Whole<u64, 0, LARGEST_ID>;
type Fen = Whole<u64, 0, MOST_FEN>;
type Name = Line<1, 64>;
type Intro = Prose<0, 500>;

#[derive(Deserialize)]
struct BannerFields {
    banner_id: Id,
    place: Place,
    image: MediaKey,
    url: Url,
    withdrawn: Option<bool>,
}

#[derive(Deserialize)]
struct MasterFields {
    master_id: Hex,
    name: Name,
    avatar: MediaKey,
    intro: Intro,
    address: Line<0, 200>,
    birthday: Date,
    recommended: Option<bool>,
    withdrawn: Option<bool>,
}

#[derive(Deserialize)]
struct MerchantFields {
    merchant_id: Hex,
    name: Name,
    logo: MediaKey,
    intro: Intro,
    address: Line<0, 200>,
    phone: Dialled,
    email: Address,
    withdrawn: Option<bool>,
}

#[derive(Deserialize)]
struct ClothFields {
    cloth_id: Id,
    merchant_id: Option<Hex>,
    name: Name,
    image: MediaKey,
    intro: Intro,
    price: Fen,
    dynasty: Whole<u32, 0, 4_294_967_295>,
    designer_intro: Option<Intro>,
    recommended: Option<bool>,
    withdrawn: Option<bool>,
}

#[derive(Deserialize)]
struct GameFields {
    game_id: Id,
    name: Name,
    image: MediaKey,
    intro: Intro,
    recommended: Option<bool>,
    withdrawn: Option<bool>,
}

#[derive(Deserialize)]
struct ProjectFields {
    project_id: Id,
    master_id: Hex,
    name: Name,
    image: MediaKey,
    intro: Intro,
    recommended: Option<bool>,
    withdrawn: Option<bool>,
}

#[derive(Deserialize)]
struct TicketFields {
    ticket_id: Id,
    project_id: Id,
    name: Name,
    image: MediaKey,
    intro: Intro,
    price: Fen,
    count: Option<Whole<u64, 1, MOST_TICKETS>>,
    withdrawn: Option<bool>,
}

#[derive(Deserialize)]
struct UserFields {
    username: Username,
    password: Option<String>,
    password_md5: Option<String>,
    nickname: Nickname,
}

#[derive(Deserialize)]
struct ReviewAccountFields {
    account: Key,
    password: String,
}

#[derive(Deserialize)]
struct ReviewVersionFields {
    version: Key,
    withdrawn: Option<bool>,
}

#[derive(Deserialize)]
struct VipFields {
    grant_id: Key,
    user_id: NamedUser,
    days: Whole<u32, 1, MOST_DAYS>,
}

#[derive(Deserialize)]
struct GiftFields {
    gift_id: Key,
    user_id: NamedUser,
    from_user_id: NamedUser,
    code: Key,
    count: Whole<u64, 1, MOST_GIFTS>,
    value: Fen,
}

#[derive(Deserialize)]
struct UserLockFields {
    user_id: NamedUser,
    locked: bool,
}

#[derive(Deserialize)]
struct UserEraseFields {
    user_id: NamedUser,
}

#[derive(Deserialize)]
struct MessageFields {
    record_id: Key,
    from_id: FromId,
    from_type: Option<FromType>,
    to_user_id: NamedUser,
    content: Prose<1, 2_000>,
    withdrawn: Option<bool>,
}

#[derive(Deserialize)]
struct TakedownFields {
    article_id: Option<Id>,
    comment_id: Option<Id>,
    pic_id: Option<Id>,
    pic_dir_id: Option<Id>,
}

impl Record {
    /// A record as it came. Refuses it in words that name the field.
    pub fn of(record: Value) -> Result<Self, Refusal> {
        let Value::Object(record) = record else {
            return Err(Refusal::malformed("record", words!("must be an object", "应为对象")));
        };
        let kind = match record.get("kind") {
            None | Some(Value::Null) => return Err(Refusal::missing("kind")),
            Some(Value::String(kind)) => kind.clone(),
            Some(_) => return Err(Refusal::malformed("kind", words!("must be text", "应为文本"))),
        };
        let is_content = CONTENT.contains(&kind.as_str());
        if !is_content && !matches!(record.get("withdrawn"), None | Some(Value::Null | Value::Bool(false))) {
            return Err(Refusal::malformed("withdrawn", words!("only content can be withdrawn", "只有内容可以撤下")));
        }
        match kind.as_str() {
            "banner" => fields(record).map(Self::banner),
            "master" => fields(record).map(Self::master),
            "merchant" => fields(record).map(Self::merchant),
            "cloth" => fields(record).map(Self::cloth),
            "game" => fields(record).map(Self::game),
            "project" => fields(record).map(Self::project),
            "ticket" => fields(record).and_then(Self::tickets),
            "user" => fields(record).and_then(Self::user),
            "review_account" => fields(record).and_then(Self::reviewer),
            "review_version" => {
                let ReviewVersionFields { version, withdrawn } = fields(record)?;
                Ok(Self::Review { version: version.0, withdrawn: withdrawn.unwrap_or_default() })
            }
            "vip" => {
                let VipFields { grant_id, user_id, days } = fields(record)?;
                Ok(Self::Vip { grant_id: grant_id.0, user: user_id.0, days: days.0 })
            }
            "gift" => {
                let GiftFields { gift_id, user_id, from_user_id, code, count, value } = fields(record)?;
                let (gift_id, to, from, code) = (gift_id.0, user_id.0, from_user_id.0, code.0);
                Ok(Self::Gift { gift_id, to, from, code, count: count.0, value: value.0 })
            }
            "user_lock" => {
                let UserLockFields { user_id, locked } = fields(record)?;
                Ok(Self::Lock { user: user_id.0, locked })
            }
            "user_erase" => {
                let UserEraseFields { user_id } = fields(record)?;
                Ok(Self::Erase(user_id.0))
            }
            "takedown" => fields(record).and_then(Self::takedown),
            "message" => fields(record).map(Self::message),
            _ => Err(Refusal::malformed("kind", words!("must be one of {kinds}", "应为 {kinds} 之一", kinds = KINDS))),
        }
    }

    /// Which of the [`STEPS`] it belongs to.
    pub fn step(&self) -> usize {
        match self {
            Self::Banner { .. } | Self::Master { .. } | Self::Merchant { .. } | Self::Game { .. } => 0,
            Self::Review { .. } => 0,
            Self::Project { .. } | Self::Cloth { .. } => 1,
            Self::Tickets { .. } => 2,
            Self::User { .. } | Self::Reviewer { .. } => 3,
            Self::Vip { .. } | Self::Gift { .. } | Self::Lock { .. } => 4,
            Self::Comment(_) | Self::Picture(_) | Self::Message { .. } => 4,
            // With what the step before has taken out of them.
            Self::Article(_) | Self::Gallery(_) => 5,
            // After all that is still said of them.
            Self::Erase(_) => 5,
        }
    }

    /// What it is about or writes to: two records of the same go one after the other.
    pub fn identity(&self) -> String {
        match self {
            Self::Banner { banner, .. } => format!("banner {}", banner.banner_id),
            Self::Master { master, .. } => format!("master {}", master.master_id.0),
            Self::Merchant { merchant, .. } => format!("merchant {}", merchant.merchant_id.0),
            Self::Cloth { cloth, .. } => format!("cloth {}", cloth.cloth_id.0),
            Self::Game { game, .. } => format!("game {}", game.game_id.0),
            Self::Project { project, .. } => format!("project {}", project.project_id.0),
            // All write to their project's count.
            Self::Tickets { batch, .. } => format!("tickets of {}", batch.project_id.0),
            Self::User { username, .. } => format!("user {username}"),
            Self::Reviewer { account, .. } => format!("reviewer {account}"),
            Self::Review { version, .. } => format!("version {version}"),
            Self::Vip { user, .. } | Self::Lock { user, .. } | Self::Gift { to: user, .. } | Self::Erase(user) => {
                format!("of {}", user.0)
            }
            // In the order in which they were said.
            Self::Message { message, .. } => format!("to {}", message.to.0),
            // So do these, to the counts of what they are in.
            Self::Article(_) | Self::Comment(_) | Self::Picture(_) | Self::Gallery(_) => "takedowns".to_owned(),
        }
    }

    fn banner(BannerFields { banner_id, place, image, url, withdrawn }: BannerFields) -> Self {
        let banner = Banner { banner_id: banner_id.0, image: image.0, url: url.0 };
        Self::Banner { place, banner, withdrawn: withdrawn.unwrap_or_default() }
    }

    fn master(fields: MasterFields) -> Self {
        let MasterFields { master_id, name, avatar, intro, address, birthday, recommended, withdrawn } = fields;
        let master = Master {
            master_id: MasterId(master_id.0),
            name: name.0,
            avatar: avatar.0,
            intro: intro.0,
            address: address.0,
            birthday: birthday.0,
            recommended: recommended.unwrap_or_default(),
        };
        Self::Master { master, withdrawn: withdrawn.unwrap_or_default() }
    }

    fn merchant(fields: MerchantFields) -> Self {
        let MerchantFields { merchant_id, name, logo, intro, address, phone, email, withdrawn } = fields;
        let merchant = Merchant {
            merchant_id: MerchantId(merchant_id.0),
            name: name.0,
            logo: logo.0,
            intro: intro.0,
            address: address.0,
            phone: phone.0,
            email: email.0,
        };
        Self::Merchant { merchant, withdrawn: withdrawn.unwrap_or_default() }
    }

    fn cloth(fields: ClothFields) -> Self {
        let cloth = Cloth {
            cloth_id: ClothId(fields.cloth_id.0),
            merchant_id: fields.merchant_id.map(|id| MerchantId(id.0)),
            name: fields.name.0,
            image: fields.image.0,
            intro: fields.intro.0,
            price: fields.price.0,
            dynasty: fields.dynasty.0,
            designer_intro: fields.designer_intro.unwrap_or_default().0,
            recommended: fields.recommended.unwrap_or_default(),
        };
        Self::Cloth { cloth, withdrawn: fields.withdrawn.unwrap_or_default() }
    }

    fn game(GameFields { game_id, name, image, intro, recommended, withdrawn }: GameFields) -> Self {
        let (name, image, intro) = (name.0, image.0, intro.0);
        let recommended = recommended.unwrap_or_default();
        let game = Game { game_id: GameId(game_id.0), name, image, intro, recommended };
        Self::Game { game, withdrawn: withdrawn.unwrap_or_default() }
    }

    fn project(fields: ProjectFields) -> Self {
        let ProjectFields { project_id, master_id, name, image, intro, recommended, withdrawn } = fields;
        let project = Project {
            project_id: ProjectId(project_id.0),
            master_id: MasterId(master_id.0),
            name: name.0,
            image: image.0,
            intro: intro.0,
            recommended: recommended.unwrap_or_default(),
        };
        Self::Project { project, withdrawn: withdrawn.unwrap_or_default() }
    }

    fn tickets(fields: TicketFields) -> Result<Self, Refusal> {
        let TicketFields { ticket_id, project_id, name, image, intro, price, count, withdrawn } = fields;
        let count = count.map_or(1, |count| count.0);
        if ticket_id.0 + count - 1 > LARGEST_ID.unsigned_abs() {
            let words = words!(
                "the last ticket's id would be above {most}",
                "最后一张票的 id 会超过 {most}",
                most = LARGEST_ID
            );
            return Err(Refusal::malformed("count", words));
        }
        let batch = TicketBatch {
            ticket_id: TicketId(ticket_id.0),
            count,
            project_id: ProjectId(project_id.0),
            // The project says.
            master_id: MasterId(0),
            name: name.0,
            image: image.0,
            intro: intro.0,
            price: price.0,
        };
        Ok(Self::Tickets { batch, withdrawn: withdrawn.unwrap_or_default() })
    }

    fn user(UserFields { username, password, password_md5, nickname }: UserFields) -> Result<Self, Refusal> {
        let password = match (password, password_md5) {
            (Some(password), None) => Password::new_six_to_sixty_four(&password)?,
            (None, Some(digits)) => Password::md5(&digits).map_err(|_| {
                Refusal::malformed("password_md5", words!("must be 32 hexadecimal digits", "应为 32 位十六进制数字"))
            })?,
            (None, None) => {
                return Err(Refusal::malformed(
                    "password",
                    words!("is missing: send it, or password_md5", "password 和 password_md5 必填其一"),
                ));
            }
            (Some(_), Some(_)) => {
                return Err(Refusal::malformed(
                    "password_md5",
                    words!("send it or password, not both", "password_md5 和 password 只能填一个"),
                ));
            }
        };
        Ok(Self::User { username: username.0, nickname: nickname.0, password })
    }

    fn reviewer(ReviewAccountFields { account, password }: ReviewAccountFields) -> Result<Self, Refusal> {
        Ok(Self::Reviewer { account: account.0, password: Password::new_six_to_sixty_four(&password)? })
    }

    fn message(fields: MessageFields) -> Self {
        let MessageFields { record_id, from_id: FromId(mut from), from_type, to_user_id, content, withdrawn } = fields;
        from.retain(|side| match from_type {
            Some(FromType::Master) => matches!(side, Side::Master(_)),
            Some(FromType::Merchant) => matches!(side, Side::Merchant(_)),
            None => true,
        });
        let message = OperatorsMessage { record_id: record_id.0, from, to: to_user_id.0, content: content.0 };
        Self::Message { message, withdrawn: withdrawn.unwrap_or_default() }
    }

    fn takedown(fields: TakedownFields) -> Result<Self, Refusal> {
        let TakedownFields { article_id, comment_id, pic_id, pic_dir_id } = fields;
        let mut named = [
            article_id.map(|id| Self::Article(ArticleId(id.0))),
            comment_id.map(|id| Self::Comment(CommentId(id.0))),
            pic_id.map(|id| Self::Picture(PictureId(id.0))),
            pic_dir_id.map(|id| Self::Gallery(GalleryId(id.0))),
        ]
        .into_iter()
        .flatten();
        match (named.next(), named.next()) {
            (Some(one), None) => Ok(one),
            _ => Err(Refusal::malformed(
                "article_id",
                words!(
                    "send exactly one of article_id, comment_id, pic_id and pic_dir_id",
                    "article_id、comment_id、pic_id 和 pic_dir_id 中填且只填一个"
                ),
            )),
        }
    }
}

fn fields<T: DeserializeOwned>(record: Map<String, Value>) -> Result<T, Refusal> {
    Fields::json(Value::Object(record).to_string().as_bytes())?.parse()
}

/// Texts of a record, each with what it must be.
macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident $read:ident)*) => {$(
        $(#[$doc])*
        struct $name(String);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                $read(Typed::deserialize(from)?.0).map(Self).map_err(complaint)
            }
        }
    )*};
}

texts! {
    /// `YYYY-MM-DD`.
    Date date
    /// Where a banner leads.
    Url url
    /// What a user logs in with.
    Username username
    /// A name of operators' choosing that nobody sees.
    Key key
    /// Where somebody can be called, as it is shown; or nothing.
    Dialled dialled_phone
    /// Where somebody can be written to, or nothing.
    Address address
}

fn date(text: String) -> Result<String, Words> {
    let number = |range| text.get(range).filter(|text: &&str| text.bytes().all(|byte| byte.is_ascii_digit()));
    let parts = [number(0..4), number(5..7), number(8..10)].map(|part| part.and_then(|part| part.parse::<u32>().ok()));
    let is_date = match parts {
        [Some(year), Some(month), Some(day)] if text.len() == 10 && text.as_bytes()[4] == b'-' => {
            let leaps = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
            let days = match month {
                2 if leaps => 29,
                2 => 28,
                4 | 6 | 9 | 11 => 30,
                1..=12 => 31,
                _ => 0,
            };
            text.as_bytes()[7] == b'-' && year > 0 && (1..=days).contains(&day)
        }
        _ => false,
    };
    if is_date { Ok(text) } else { Err(words!("must be a date: YYYY-MM-DD", "应为日期：YYYY-MM-DD")) }
}

fn url(text: String) -> Result<String, Words> {
    const WANTED: Words =
        words!("must be a URL that begins with http:// or https://", "应为以 http:// 或 https:// 开头的网址");
    let rest = ["http://", "https://"].iter().find_map(|scheme| {
        let begins = text.get(..scheme.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(scheme));
        begins.then(|| &text[scheme.len()..])
    });
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).ok_or(WANTED)?;
    let spoils =
        |letter: char| letter.is_whitespace() || letter.is_control() || matches!(letter, '"' | '<' | '>' | '\\');
    let has_host = host.chars().next().is_some_and(|first| first.is_alphanumeric() || first == '[');
    match has_host && !host.contains('@') && !text.chars().any(spoils) && text.len() <= 2048 {
        true => Ok(text),
        false => Err(WANTED),
    }
}

fn username(text: String) -> Result<String, Words> {
    let text = line(text, 64)?;
    match !text.contains('@') && matches!(Account::parse(&text), Account::Name(name) if name == text) {
        true => Ok(text),
        false => Err(words!(
            "must not look like a phone or an e-mail address, which are told apart by their form",
            "不能像手机号或邮箱地址"
        )),
    }
}

fn key(text: String) -> Result<String, Words> {
    line(text, 128)
}

fn dialled_phone(text: String) -> Result<String, Words> {
    let digits = dialled(&text);
    let digits = digits.strip_prefix('+').unwrap_or(&digits);
    let is_phone = (3..=20).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_phone && text.len() <= 64 || text.is_empty() {
        Ok(text)
    } else {
        Err(words!("must be a phone number", "应为电话号码"))
    }
}

fn address(text: String) -> Result<String, Words> {
    match text.is_empty() || Email::parse(&text).is_ok() {
        true => Ok(text),
        false => Err(words!("must be an e-mail address", "应为邮箱地址")),
    }
}

/// One line with something on it.
fn line(text: String, most: usize) -> Result<String, Words> {
    use shared::domain::text::{is_blank, turns_direction};
    let breaks = |letter: char| letter.is_control() || matches!(letter, '\u{2028}' | '\u{2029}');
    match text.chars().count() {
        0 => Err(words!("must not be empty", "不能为空")),
        long if long > most => Err(words!("must have 1 to {most} characters", "应有 1 至 {most} 个字符", most = most)),
        _ if is_blank(&text) || text.chars().any(|letter| breaks(letter) || turns_direction(letter)) => {
            Err(words!("must be one line of text", "应为一行文本"))
        }
        _ => Ok(text),
    }
}

/// An id of 32 hexadecimal digits.
struct Hex(u128);

impl<'de> Deserialize<'de> for Hex {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let digits = Typed::deserialize(from)?.0;
        let fits = digits.len() == 32 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u128::from_str_radix(&digits, 16).ok().filter(|_| fits);
        number.map(Self).ok_or_else(|| complaint(words!("must be 32 hexadecimal digits", "应为 32 位十六进制数字")))
    }
}

/// Whom the sender's id may mean: the first that there is.
struct FromId(Vec<Side>);

/// Which of them, where a master and a merchant have the same.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum FromType {
    Master,
    Merchant,
}

impl<'de> Deserialize<'de> for FromId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = Typed::deserialize(from)?.0;
        if text == "customer_service" {
            return Ok(Self(vec![Side::CustomerService]));
        }
        let wrong = || {
            complaint(words!(
                "must be the 32 hexadecimal digits of a master or a merchant, or customer_service",
                "应为达人或商家的 32 位十六进制 id，或 customer_service"
            ))
        };
        let Hex(id) = Hex::deserialize(text.into_deserializer()).map_err(|_: de::value::Error| wrong())?;
        Ok(Self(vec![MasterId(id).into(), MerchantId(id).into()]))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde::{de, forward_to_deserialize_any};

    use super::*;

    /// Asks a type for its fields' names instead of giving it any.
    struct Names<'a>(&'a mut &'static [&'static str]);

    impl<'de> Deserializer<'de> for Names<'_> {
        type Error = de::value::Error;

        fn deserialize_struct<V: de::Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            _: V,
        ) -> Result<V::Value, Self::Error> {
            *self.0 = fields;
            Err(de::Error::missing_field("only asked"))
        }

        fn deserialize_any<V: de::Visitor<'de>>(self, _: V) -> Result<V::Value, Self::Error> {
            Err(de::Error::missing_field("not fields"))
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
            newtype_struct seq tuple tuple_struct map enum identifier ignored_any
        }
    }

    fn fields_of<T: DeserializeOwned>() -> BTreeSet<&'static str> {
        let mut fields = &[][..];
        drop(T::deserialize(Names(&mut fields)));
        fields.iter().copied().collect()
    }

    /// Whoever reads the event sees all that can be sent; and what tests do with each field, they do with these.
    #[test]
    fn the_sample_event_has_every_field_of_every_kind() {
        let event: Value = serde_json::from_str(include_str!("../../../events/catalogue/import.json")).unwrap();
        for kind in KINDS.split(", ") {
            let mut fields = match kind {
                "banner" => fields_of::<BannerFields>(),
                "master" => fields_of::<MasterFields>(),
                "merchant" => fields_of::<MerchantFields>(),
                "cloth" => fields_of::<ClothFields>(),
                "game" => fields_of::<GameFields>(),
                "project" => fields_of::<ProjectFields>(),
                "ticket" => fields_of::<TicketFields>(),
                "user" => fields_of::<UserFields>(),
                "review_account" => fields_of::<ReviewAccountFields>(),
                "review_version" => fields_of::<ReviewVersionFields>(),
                "vip" => fields_of::<VipFields>(),
                "gift" => fields_of::<GiftFields>(),
                "user_lock" => fields_of::<UserLockFields>(),
                "user_erase" => fields_of::<UserEraseFields>(),
                "takedown" => fields_of::<TakedownFields>(),
                "message" => fields_of::<MessageFields>(),
                _ => panic!("{kind}: say here what its fields are"),
            };
            // All content can be, and is in no event that brings some.
            fields.remove("withdrawn");
            let records = event["records"].as_array().unwrap().iter().filter(|record| record["kind"] == kind);
            let sent = records.flat_map(|record| record.as_object().unwrap().keys().map(String::as_str));
            let sent: BTreeSet<&str> = sent.filter(|field| *field != "kind").collect();
            assert_eq!(sent, fields, "events/catalogue/import.json: {kind}");
        }
    }

    #[test]
    fn a_birthday_is_a_real_date() {
        for good in ["1970-05-01", "2000-02-29", "2024-02-29", "1999-12-31", "0001-01-01"] {
            assert!(date(good.into()).is_ok(), "{good}");
        }
        for bad in [
            "",
            "1970-5-1",
            "1900-02-29",
            "2023-02-29",
            "1970-13-01",
            "1970-00-01",
            "1970-04-31",
            "1970-01-00",
            "1970/05/01",
            "+970-05-01",
            "1970-05-01T",
            "0000-01-01",
            "１970-05-1",
            "19700501",
        ] {
            assert!(date(bad.into()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_url_is_of_the_web() {
        for good in ["http://a", "https://example.com/", "HTTPS://例子.中国/路?a=b#c", "http://[::1]:80/"] {
            assert!(url(good.into()).is_ok(), "{good}");
        }
        let long = format!("https://a/{}", "a".repeat(2048));
        for bad in [
            "",
            "http://",
            "https:///a",
            "javascript:alert(1)",
            "ftp://a",
            "//a",
            "example.com",
            "http://a b",
            "http://a/\n",
            "http://a@b/",
            "http:/a",
            "https://?",
            &long,
            "http://a/\"><script>",
        ] {
            assert!(url(bad.into()).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_user_name_looks_like_nothing_else() {
        for good in ["felix", "菲利克斯", "10340", "a.b-c d"] {
            assert_eq!(username(good.into()).as_deref(), Ok(good));
        }
        for bad in ["", "13800138000", "+85212345678", "a@b.com", "a@", "a\nb", "\u{200b}", &"a".repeat(65)] {
            assert!(username(bad.into()).is_err(), "{bad}");
        }
    }
}
