//! The first two members of staff: before them there is nobody who could approve. Once two act, enrolment needs maker and
//! checker.

use alloc::string::String;

use super::{Draft, Scene, Stop};
use crate::decision::Change;
use crate::ids::StaffId;
use crate::proposal::Staff;
use crate::refusal::Refusal;
use crate::request::Origin;

/// Who is enrolled.
pub struct Fields {
    /// The name they sign with.
    pub name: String,
    /// The verifier of their secret.
    pub verifier: String,
}

pub(super) fn decide(scene: &Scene<'_>, fields: &Fields, draft: &mut Draft) -> Result<(), Stop> {
    if scene.origin != Origin::Platform || scene.books.all_staff().count() >= 2 {
        return Err(Refusal::StaffEnrolled.into());
    }
    scene.judge_staff_name(&fields.name)?;
    draft.change(Change::Staff(scene.new_staff(&fields.name, &fields.verifier)));
    Ok(())
}

impl Scene<'_> {
    /// Whether a name may be given to a new member of staff.
    pub(super) fn judge_staff_name(&self, name: &str) -> Result<(), Refusal> {
        let taken = name.is_empty() || self.books.staff_named(name).is_some();
        if taken { Err(Refusal::NameTaken) } else { Ok(()) }
    }

    /// A new member of staff, named by the row of this decision.
    pub(super) fn new_staff(&self, name: &str, verifier: &str) -> Staff {
        Staff { id: StaffId(self.books.next().0), name: name.into(), verifier: verifier.into(), active: true }
    }

    /// The member of staff who asks and may act.
    pub(super) fn acting_staff(&self) -> Result<StaffId, Refusal> {
        let Origin::Staff(id) = self.origin else { return Err(Refusal::UnknownStaff) };
        let staff = self.books.staff(id).filter(|staff| staff.active);
        staff.map(|staff| staff.id).ok_or(Refusal::UnknownStaff)
    }
}
