use std::fmt;

use super::{TicketId, Words};
use crate::words;

/// Of a field that cannot be left out.
pub const IS_MISSING: Words = words!("is missing", "必填");

/// Why an operation says no: one variant for one cause, one code in every document. [`Refusal::words`] is the public
/// message.
#[derive(Clone, Debug, PartialEq)]
pub enum Refusal {
    /// The request is malformed or a value is out of range. The words name the field.
    Malformed(Words),
    NotSignedIn,
    NotYours,
    NoSuch(Thing),
    /// The state of things does not allow it. The words say which state.
    Conflict(Words),
    BodyTooLarge(Words),
    UnsupportedMediaType(Words),
    /// A limit on how often something may be done. The words say when to try again.
    TooMany(Words),
    Internal,
    Unavailable,

    NotRegistered,
    UnderReview,
    WrongPassword,
    Locked(LockedBy),
    SmsCode,
    Phone(PhoneFault),
    PasswordRules(PasswordRule),
    RegisterFailed,
    ImageFormat(&'static str),
    ImageCutOff(&'static str),
    ImageTooLarge(&'static str),
    ImageTooSmall(&'static str),
    /// What was uploaded under an id that a field names, past us.
    Upload(&'static str, UploadFault),
    PhoneTaken,
    EmailTaken,

    TicketTaken(TicketId),
    NotInCart(TicketId),
    /// An idempotency key.
    KeyUsed,
    PaymentDeclined,
    PaymentUnknown,

    /// Any of the above that is about one value, with the name that the request has for it.
    In(&'static str, Box<Refusal>),
}

/// What there may be none of.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Thing {
    Article,
    Cloth,
    Comment,
    Gallery,
    Game,
    Master,
    MasterOrMerchant,
    Merchant,
    Message,
    Order,
    /// What a request's method and path would lead to.
    Path,
    Picture,
    Project,
    Ticket,
    User,
    UserMasterOrMerchant,
}

/// What is wrong with a phone number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PhoneFault {
    /// Of country 86: `1`, a digit from 3 to 9, nine digits.
    China,
    /// Of any other country: 5 to 15 digits.
    Elsewhere,
    /// A country code is 1 to 3 digits.
    Country,
    /// It brings one country's code, beside another one's.
    Contradiction,
    /// Well-formed, but no network knows it.
    Nobodys,
}

/// What a new password must be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum PasswordRule {
    EightToSixteen,
    SixToSixtyFour,
}

/// What is wrong with an upload.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum UploadFault {
    NoPicture,
    PictureCutOff,
    TooLarge,
    NoRecording,
    RecordingCutOff,
    RecordingTooLarge,
}

/// Who has locked an account.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LockedBy {
    WrongPasswords,
    Operator,
}

/// In English; `{:#}` is Chinese.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.words().fmt(f)
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    /// What to mend, in both languages; nothing internal is ever in it.
    pub fn words(&self) -> Words {
        match self {
            Self::Malformed(words)
            | Self::Conflict(words)
            | Self::BodyTooLarge(words)
            | Self::UnsupportedMediaType(words)
            | Self::TooMany(words) => words.clone(),
            Self::NotSignedIn => {
                words!("sign in first: the token is missing, wrong or ended", "请先登录：token 缺失、错误或已失效")
            }
            Self::NotYours => words!("this is not yours to change", "这不是你的，你不能更改"),
            Self::NoSuch(thing) => thing.missing(),
            Self::Internal => words!("something broke on our side; trying again may help", "服务器出错了，请稍后重试"),
            Self::Unavailable => words!("too busy right now: try again in a moment", "系统繁忙，请稍后重试"),

            Self::NotRegistered => words!("no such registered user", "该用户尚未注册"),
            Self::UnderReview => {
                words!("this version is under review: use a review account", "此版本正在审核，请使用审核账号")
            }
            Self::WrongPassword => words!("wrong account or password", "账号或密码错误"),
            Self::Locked(LockedBy::WrongPasswords) => words!(
                "account: locked for 15 minutes after too many wrong passwords; other ways to log in still work",
                "account: 密码错误次数过多，已锁定 15 分钟；其他登录方式仍可使用"
            ),
            Self::Locked(LockedBy::Operator) => words!("account: locked by the operator", "account: 已被管理员锁定"),
            Self::SmsCode => {
                words!("wrong, expired or used up: ask for a new code", "验证码错误、过期或已失效，请重新获取")
            }
            Self::Phone(fault) => fault.words(),
            Self::PasswordRules(PasswordRule::EightToSixteen) => words!(
                "password: 8 to 16 letters and digits, at least one of each",
                "password: 应为 8 至 16 位字母和数字，两者都要有"
            ),
            Self::PasswordRules(PasswordRule::SixToSixtyFour) => {
                words!("password: 6 to 64 characters", "password: 应为 6 至 64 个字符")
            }
            Self::RegisterFailed => words!(
                "something broke on our side while registering; trying again may help",
                "注册时服务器出错了，请稍后重试"
            ),
            Self::ImageFormat(field) => words!(
                "send a JPEG, PNG, WebP or GIF picture that browsers show",
                "请发送浏览器能显示的 JPEG、PNG、WebP 或 GIF 图片"
            )
            .about(field),
            Self::ImageCutOff(field) => {
                words!("the picture is cut off or damaged: send the whole file", "图片不完整或已损坏，请发送完整的文件")
                    .about(field)
            }
            Self::ImageTooLarge(field) => {
                words!("at most 4 MiB and 40 megapixels", "图片最大 4 MiB、4000 万像素").about(field)
            }
            Self::ImageTooSmall(field) => {
                words!("each side needs at least 64 pixels", "图片的宽和高都至少要 64 像素").about(field)
            }
            Self::Upload(field, fault) => fault.words().about(field),
            Self::PhoneTaken => words!("phone: already registered", "phone: 已被注册"),
            Self::EmailTaken => words!("email: already in use", "email: 已被使用"),

            Self::TicketTaken(TicketId(id)) => {
                words!("ticket {id} is sold, or another order holds it", "票 {id} 已售出，或已被其他订单占用", id = id)
            }
            Self::NotInCart(TicketId(id)) => {
                words!("ticket {id} is not in the shopping cart", "票 {id} 不在购物车里", id = id)
            }
            Self::KeyUsed => words!("was used for another order", "已用于另一个订单"),
            Self::PaymentDeclined => {
                words!("the payment was declined: pay again, or cancel the order", "支付被拒绝，请重新支付或取消订单")
            }
            Self::PaymentUnknown => words!(
                "the provider has not said yet what became of the payment: ask again in a moment, nothing is charged twice",
                "支付结果尚未确认，请稍后再试；不会重复扣款"
            ),

            Self::In(field, no) => no.words().about(field),
        }
    }

    /// Names the field that is to blame, where the value that it holds is: for `map_err`.
    pub fn of(field: &'static str) -> impl Fn(Self) -> Self {
        move |no| match no {
            Self::Malformed(_)
            | Self::Conflict(_)
            | Self::TooMany(_)
            | Self::SmsCode
            | Self::TicketTaken(_)
            | Self::NotInCart(_)
            | Self::KeyUsed => Self::In(field, Box::new(no)),
            no => no,
        }
    }

    /// The code in every document's envelope. Three digits are the HTTP status, too; what status four digits travel
    /// with is the dialect's.
    pub fn code(&self) -> u16 {
        match self {
            Self::In(_, no) => no.code(),
            Self::Malformed(_) => 400,
            Self::NotSignedIn => 401,
            Self::NotYours => 403,
            Self::NoSuch(_) => 404,
            Self::Conflict(_) => 409,
            Self::BodyTooLarge(_) => 413,
            Self::UnsupportedMediaType(_) => 415,
            Self::TooMany(_) => 429,
            Self::Internal => 500,
            Self::Unavailable => 503,
            Self::NotRegistered => 1001,
            Self::UnderReview => 1101,
            Self::WrongPassword => 3100,
            Self::Locked(_) => 3101,
            Self::SmsCode => 3200,
            Self::Phone(_) => 3201,
            Self::PasswordRules(_) => 3202,
            Self::RegisterFailed => 3203,
            Self::ImageFormat(_) | Self::ImageCutOff(_) => 3300,
            Self::ImageTooLarge(_) => 3301,
            Self::ImageTooSmall(_) => 3302,
            Self::Upload(_, fault) => match fault {
                UploadFault::NoPicture | UploadFault::PictureCutOff => 3300,
                UploadFault::TooLarge => 3301,
                UploadFault::NoRecording | UploadFault::RecordingCutOff | UploadFault::RecordingTooLarge => 400,
            },
            Self::PhoneTaken => 3400,
            Self::EmailTaken => 3401,
            Self::TicketTaken(_) | Self::NotInCart(_) | Self::KeyUsed => 409,
            Self::PaymentDeclined => 402,
            Self::PaymentUnknown => 503,
        }
    }

    /// What an operation that takes a picture refuses; `field` is the picture's name.
    pub const fn of_image(field: &'static str) -> [Self; 3] {
        [Self::ImageFormat(field), Self::ImageTooLarge(field), Self::ImageTooSmall(field)]
    }

    /// What is wrong with the field of this name.
    pub fn malformed(field: &str, words: Words) -> Self {
        Self::Malformed(words.about(field))
    }

    /// Of a field that cannot be left out, or not beside the others.
    pub fn missing(field: &str) -> Self {
        Self::malformed(field, IS_MISSING)
    }
}

impl Thing {
    fn missing(self) -> Words {
        match self {
            Self::Article => words!("no such article", "该文章不存在"),
            Self::Cloth => words!("no such cloth", "该服饰不存在"),
            Self::Comment => words!("no such comment", "该评论不存在"),
            Self::Gallery => words!("no such gallery", "该相册不存在"),
            Self::Game => words!("no such game", "该游戏不存在"),
            Self::Master => words!("no such master", "该达人不存在"),
            Self::MasterOrMerchant => words!("no such master or merchant", "该达人或商家不存在"),
            Self::Merchant => words!("no such merchant", "该商家不存在"),
            Self::Message => words!("no such message", "该消息不存在"),
            Self::Order => words!("no such order", "该订单不存在"),
            Self::Path => words!("no such path or method", "没有这个路径或方法"),
            Self::Picture => words!("no such picture", "该图片不存在"),
            Self::Project => words!("no such project", "该项目不存在"),
            Self::Ticket => words!("no such ticket", "该票不存在"),
            Self::User => words!("no such user", "该用户不存在"),
            Self::UserMasterOrMerchant => words!("no such user, master or merchant", "该用户、达人或商家不存在"),
        }
    }
}

impl PhoneFault {
    fn words(self) -> Words {
        match self {
            Self::China => words!(
                "phone: 11 digits that begin with 13 to 19; a number of another country needs its code: in country, or as + before it",
                "phone: 应为 13 至 19 开头的 11 位数字；其他国家或地区的号码须带区号：写在 country 里，或在号码前加 + 和区号"
            ),
            Self::Elsewhere => {
                words!("phone: 5 to 15 digits after the country code", "phone: 区号之后应为 5 至 15 位数字")
            }
            Self::Country => words!(
                "country: a country code of 1 to 3 digits, such as 86",
                "country: 应为 1 至 3 位数字的国家或地区区号，例如 86"
            ),
            Self::Contradiction => words!(
                "phone: begins with another country code than country names: leave one of them out",
                "phone: 号码自带的区号与 country 不同，请只保留一个"
            ),
            Self::Nobodys => words!("phone: no message can be sent to this number", "phone: 无法向这个号码发送短信"),
        }
    }
}

impl UploadFault {
    fn words(self) -> Words {
        match self {
            Self::NoPicture => words!(
                "what was uploaded under this id is no picture that browsers show: upload another under a new id",
                "用此 id 上传的不是浏览器能显示的图片，请用新的 id 另传一张"
            ),
            Self::PictureCutOff => words!(
                "the picture uploaded under this id is cut off or damaged: upload the whole file under a new id",
                "用此 id 上传的图片不完整或已损坏，请用新的 id 上传完整的文件"
            ),
            Self::TooLarge => words!(
                "the picture uploaded under this id is larger than 10 MiB or 40 megapixels: upload another under a new id",
                "用此 id 上传的图片超过 10 MiB 或 4000 万像素，请用新的 id 另传一张"
            ),
            Self::NoRecording => words!(
                "what was uploaded under this id is no audio or video of its kind: upload another under a new id",
                "用此 id 上传的不是该类型的音频或视频，请用新的 id 另传一个"
            ),
            Self::RecordingCutOff => words!(
                "the audio or video uploaded under this id is cut off: upload the whole file under a new id",
                "用此 id 上传的音频或视频不完整，请用新的 id 上传完整的文件"
            ),
            Self::RecordingTooLarge => words!(
                "the file uploaded under this id is larger than 20 MiB of audio or 200 MiB of video: upload another under a new id",
                "用此 id 上传的文件超过音频 20 MiB 或视频 200 MiB 的上限，请用新的 id 另传一个"
            ),
        }
    }
}
