//! Document D: the design circle's clothes.
mod design_circle_banner;
mod design_circle_cloth_collect;
mod design_circle_cloth_detail;
mod design_circle_cloth_list;
mod design_circle_cloth_uncollect;

use shared::wire::operation::Operations;

/// Adds what this function serves.
pub fn operations<L: Operations>(list: L) -> L {
    list.add::<design_circle_banner::DesignCircleBanner>()
        .add::<design_circle_cloth_collect::DesignCircleClothCollect>()
        .add::<design_circle_cloth_detail::DesignCircleClothDetail>()
        .add::<design_circle_cloth_list::DesignCircleClothList>()
        .add::<design_circle_cloth_uncollect::DesignCircleClothUncollect>()
}
