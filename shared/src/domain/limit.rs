//! How often one user may do what costs others, or the operators, something.
use super::{DAY, HOUR, Millis, Words};
use crate::words;

/// What one user may do only so often, in whichever document: limits that no honest user meets, and no honest burst.
///
/// Counted before it is done, tries that lead to nothing included, in hours and days of UTC: so whoever is at it when one
/// ends may do twice as much within as long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Limit {
    Articles,
    /// And replies, to whatever it is.
    Comments,
    /// That are tied to a user.
    Devices,
    Feedback,
    /// Of users, masters and merchants.
    Follows,
    Galleries,
    /// Likes, collects and hearts.
    Marks,
    /// To whomever; of these so many in one minute, too, see `Store::send_message`.
    Messages,
    Orders,
    Tracks,
    /// Files, to whichever operation; how many an operator says, see [`UploadQuota`].
    Uploads,
    /// Ups and downs.
    Votes,
}

/// What one user may upload on a day of UTC.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UploadQuota {
    /// Files that are announced, or sent with a request.
    pub files: u64,
    /// Bytes of those that are put past the functions, as they are found when they are checked. (What comes with a
    /// request is 4 MiB at most.)
    pub bytes: u64,
}

impl Limit {
    pub const ALL: [Self; 12] = [
        Self::Articles,
        Self::Comments,
        Self::Devices,
        Self::Feedback,
        Self::Follows,
        Self::Galleries,
        Self::Marks,
        Self::Messages,
        Self::Orders,
        Self::Tracks,
        Self::Uploads,
        Self::Votes,
    ];

    /// The table of all limits: what is done, how often at most, within how long.
    pub const fn of(self) -> (&'static str, u64, Millis) {
        match self {
            Self::Articles => ("articles", 500, DAY),
            Self::Comments => ("comments", 500, HOUR),
            Self::Devices => ("devices", 100, DAY),
            Self::Feedback => ("feedback", 50, DAY),
            Self::Follows => ("follows", 1000, HOUR),
            Self::Galleries => ("galleries", 200, DAY),
            Self::Marks => ("marks", 2000, HOUR),
            Self::Messages => ("messages", 5000, DAY),
            Self::Orders => ("orders", 300, HOUR),
            Self::Tracks => ("tracks", 1000, HOUR),
            // Unless an operator says otherwise.
            Self::Uploads => ("uploads", 500, DAY),
            Self::Votes => ("votes", 2000, HOUR),
        }
    }

    /// As the reference says it.
    pub fn words(self) -> Words {
        self.words_with(self.of().1)
    }

    /// As a refusal says it, where so many are the most.
    pub fn words_with(self, most: u64) -> Words {
        let (_, _, span) = self.of();
        let what = match self {
            Self::Articles => words!("articles", "篇文章"),
            Self::Comments => words!("comments", "条评论"),
            Self::Devices => words!("devices", "台设备"),
            Self::Feedback => words!("pieces of feedback", "条反馈"),
            Self::Follows => words!("follows", "次关注"),
            Self::Galleries => words!("galleries", "个相册"),
            Self::Marks => words!("likes, collects and hearts", "次点赞、收藏和红心"),
            Self::Messages => words!("messages", "条消息"),
            Self::Orders => words!("orders", "个订单"),
            Self::Tracks => words!("reports of where a device is", "次设备位置上报"),
            Self::Uploads => words!("uploads", "次上传"),
            Self::Votes => words!("ups and downs", "次顶和踩"),
        };
        let span = if span == DAY { words!("a day", "每天") } else { words!("an hour", "每小时") };
        words!("{most} {what} {span}", "{span:#}最多 {most} {what:#}", most = most, what = what, span = span)
    }
}
