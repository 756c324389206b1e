//! Why the books refused, in a sentence for staff.

use transaction_processing::Refusal;

use super::protocol::{Fault, FaultCode};

/// The refusal as a fault.
pub fn fault(refusal: Refusal) -> Fault {
    let refusal_name = Some(refusal.name().to_owned());
    Fault { code: FaultCode::Refused, message: advice(refusal).to_owned(), refusal: refusal_name }
}

/// What a member of staff should know of it. The refusals of handsets never answer a command of staff; they are said plainly
/// all the same, because the log and `transfer show` name them too.
pub fn advice(refusal: Refusal) -> &'static str {
    use Refusal::*;
    match refusal {
        UnknownStaff => "no such member of staff, or none that may act: see `wakala staff list`",
        UnknownProposal => "there is no proposal of this number: see `wakala treasury proposals`",
        ProposalClosed => "this proposal has been approved or rejected already",
        SamePerson => "the maker of a proposal cannot approve it: another member of staff must",
        BankReferenceUsed => "this bank reference has served already: each deposit or payment serves once",
        NameTaken => "the name, code or number is taken",
        UnknownAccount => "the number has no open account",
        WrongState => "the account, transfer or person is not in the state that this measure needs",
        UnknownCase => "there is no such case, or it is settled: see `wakala customer cases`",
        StaffEnrolled => "two members of staff are enrolled: a further one needs a maker and a checker",
        UnsoundTariff => "the terms of the tariff are not sound",
        PayeeMustRegister => "the payee must register first: the limits of a number without an account are reached",
        CardInUse => "this card serves another number",
        CodesMissing => "the proposal changed meanwhile: approve it again",
        UnknownAgent => "there is no such agent, or none that may act: see `wakala agent list`",
        UnknownReference => "there is no transfer of this reference",
        AlreadyReturned => "this transfer has gone back already",
        NotRecallable => "this transfer cannot be given back any more",
        NotWaiting => "this transfer does not wait any more",
        NotEnoughMoney => "the account does not hold so much",
        NotEnoughFloat => "the agent's float does not hold so much",
        OperatorFundsShort => "the operator's funds do not hold so much",
        OtherCurrency => "the accounts are in different currencies, or the currency is not in use",
        BadAmount => "this is no amount of the currency",
        AmountTooSmall => "the amount is below the least",
        AmountTooLarge => "the amount is above the most for one request",
        DayLimit => "the amount is above what may be sent in a day",
        MonthLimit => "the amount is above what may be sent in a month",
        PayeeBalanceLimit => "the payee may not hold or receive so much",
        ChargesAboveAmount => "the charges would eat the whole amount",
        NotRegistered => "the number has no account",
        NotForAgents => "the number is an agent's",
        NotAnAgent => "the number is no agent's",
        AccountFrozen => "the account is frozen",
        NotSealed => "the number has a card and is not served in plain",
        PlainNotServed => "messages in plain are not served",
        CounterTooLow => "the counter of the sealed message was not higher than the last one",
        CardBlocked => "the card's counter has come to its end",
        Slowed => "too many failures lately: later",
        WrongPin => "the PIN was wrong",
        PinLocked => "the PIN is locked for a while",
        PinLockedByTries => "the PIN is locked until it is reset",
        WeakPin => "the PIN is too easily guessed",
        ChangePinFirst => "the one-time PIN must be changed first",
        OneTimePinExpired => "the one-time PIN is past its hour",
        NoPin => "no PIN has been set",
        SamePin => "old and new PIN are the same",
        NotMobile => "the number cannot be a mobile one",
        ToOneself => "sender and payee are the same",
        PayeeIsAgent => "the payee's number is an agent's",
        PayeeFrozen => "the payee's account is frozen",
        PayeeNotRegistered => "the payee has no account",
        OwnDealing => "an agent dealt with an own number",
        WrongPassword => "the withdrawal password was wrong",
        ClaimsPaused => "the payee's claims pause after wrong passwords",
        WrongCode => "the verification code was wrong",
        CodeExpired => "the verification code was too old",
        CodesExhausted => "too many wrong verification codes: no agent can pay this transfer out",
        NothingToPayOut => "no transfer of this amount waits for this payee with this agent",
        OtherAgent => "the payee named another agent",
        AlreadyPaid => "it has been paid out already",
        IdentityNeeded => "the number of the identity document was needed",
        PasswordAtAgentOff => "claims with the password alone are not offered",
        PasswordAtAgentClosed => "claims with the password alone are closed for this transfer",
        NotYourNumber => "only the payee's own number may ask",
        NothingWaiting => "nothing waits for the number",
        TooManyResends => "no more new passwords for this transfer",
        RecallAlreadyAsked => "it has been asked back already",
        NoRecallAsked => "nobody has asked it back",
        AlreadyRegistered => "the number has an account already",
        NoRegistration => "no registration is under way for the number",
        WrongRegistrationCode => "the registration code was wrong",
        RegistrationExpired => "the registration code was too old, or tried too often",
        TooManyReceipts => "the number asked about too many receipts in this hour",
        TooManyRegistrations => "too many registrations of this number today",
        WrongRegistrationPin => "the PIN was not that of the registration under way",
        RegistrationContested => "more than one PIN was chosen for the number lately: the code needs its PIN",
    }
}
