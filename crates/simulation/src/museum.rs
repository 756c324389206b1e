//! The bug museum: defects that this field has paid for, each put back into the platform by itself, and each found. An exhibit
//! is one entry below and one arm where its seam is, in [`crate::sabotage`]; the product holds no switch for any of them.
//!
//! Histories are told in our own words, of defects of a kind that is often met; where one incident is meant, it is named.

use crate::plan::Plan;

/// A defect on show.
pub struct Exhibit {
    /// Its name on the command line.
    pub name: &'static str,
    /// Which it is.
    pub defect: Defect,
    /// What is wrong.
    pub what: &'static str,
    /// Where it comes from.
    pub history: &'static str,
    /// The words of which one stands in what is found.
    pub found_by: &'static [&'static str],
    /// Seeds that find it, each by itself; `--museum --search` finds others.
    pub seeds: &'static [u64],
}

/// How much people do, at most, before an exhibit must have been found.
pub const COMMANDS: u64 = 800;

impl Exhibit {
    /// The exhibit of this name.
    pub fn named(name: &str) -> Option<&'static Exhibit> {
        EXHIBITS.iter().find(|exhibit| exhibit.name == name)
    }

    /// The plan that shows it.
    pub fn plan(&self, seed: u64) -> Plan {
        Plan { exhibit: Some(self.defect), ..Plan::new(seed, COMMANDS, Vec::new()) }
    }

    /// Whether this finding is the one that was to come.
    pub fn is_found(&self, finding: Option<&str>) -> bool {
        finding.is_some_and(|finding| self.found_by.iter().any(|words| finding.contains(words)))
    }
}

macro_rules! museum {
    ($($defect:ident = $name:literal, $what:literal, found by $found:expr, seeds $seeds:expr, $history:literal;)*) => {
        /// A defect that can be put back.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
        pub enum Defect { $(#[doc = $what] $defect,)* }

        impl Defect {
            /// The name of its exhibit.
            pub fn name(self) -> &'static str {
                match self { $(Defect::$defect => $name,)* }
            }
        }

        /// All exhibits.
        pub const EXHIBITS: &[Exhibit] = &[$(Exhibit {
            name: $name, defect: Defect::$defect, what: $what, history: $history,
            found_by: &$found, seeds: &$seeds,
        },)*];
    };
}

museum! {
    // ---- the disk -----------------------------------------------------------------------------------------------------
    LosesBatch = "loses-batch",
        "The disk says that it holds a batch, and does not.",
        found by ["I18", "recovery differs", "the process ended"], seeds [1, 2],
        "Drives and controllers that acknowledge a flush from a cache that power loss empties.";
    TearsBatch = "tears-batch",
        "A process that dies while it writes leaves half a batch behind.",
        found by ["I18", "recovery differs", "I3", "the process ended"], seeds [5, 6],
        "Applications that took several writes for one: 60 such places in eleven that were studied: Pillai and others, All File Systems Are Not Created Equal, OSDI 2014";
    IgnoresFailedSync = "ignores-failed-sync",
        "A sync that failed and lost its data is taken for one that worked.",
        found by ["the process ended", "I24", "I18", "recovery differs", "I3", "moved no money"], seeds [2, 3],
        "PostgreSQL tried fsync again after an error; the kernel had dropped the pages and said that all was well. It panics since 11.2 and 10.7, February 2019";
    IgnoresFullDisk = "ignores-full-disk",
        "A write that found no room is taken for one that worked.",
        found by ["the process ended", "I24", "I18", "recovery differs", "I3", "moved no money"], seeds [2, 3, 4],
        "Stores that go on after a write failed for want of space, and answer for what they do not hold.";
    ForgetsKeys = "forgets-keys",
        "What makes a repeat known is kept in memory only.",
        found by ["I5", "recovery differs"], seeds [9, 13],
        "A server that forgot at a restart what it had done, and did it again when the client tried again.";
    ForgetsStates = "forgets-states",
        "What became of messages is kept in memory only.",
        found by ["I24", "before it was kept"], seeds [1, 2],
        "A gateway whose delivery reports were lost, so that messages stayed open for ever: https://github.com/jookies/jasmin/issues/247";
    KeepsCodes = "keeps-codes",
        "A code is kept after its message is final.",
        found by ["is kept after its end"], seeds [1, 2],
        "Codes and PINs kept beyond their use, for whoever reads the database later: PCI DSS 4.0.1, requirement 3.3.1";
    LogsSecrets = "logs-secrets",
        "Messages are written down as they came, PINs and all.",
        found by ["I23"], seeds [1, 2],
        "Twitter wrote passwords to an internal log before they were hashed, and asked 330 million people to change them: Twitter, Keeping your account secure, 3 May 2018";
    ForgetsRecords = "forgets-records",
        "The checkpoint's position moves, and its records do not.",
        found by ["recovery differs", "the process ended"], seeds [6, 7],
        "Checkpoints that were marked complete before the pages that they promise were written.";
    ReplaysTooLittle = "replays-too-little",
        "Recovery begins one row too late.",
        found by ["recovery differs", "the process ended"], seeds [1, 2],
        "Recovery that starts behind the oldest change not yet in the checkpoint.";
    UnmarkedRestore = "unmarked-restore",
        "A restored database does not know that it was restored, and gives out its numbers again.",
        found by ["told", "I5", "I24", "moved no money", "loose ends"], seeds [53, 97],
        "Sequences and counters that rewind with a restore, and name two things alike.";
    SkipsUntold = "skips-untold",
        "Reading page by page, the log's reader leaves out the row at each page's end.",
        found by ["told", "I24", "loose ends"], seeds [1, 2],
        "Paging by a moving key that skips what stands on the border.";
    SettlesTooFar = "settles-too-far",
        "Everything before the last start counts as told.",
        found by ["I24", "told", "loose ends", "before it was kept"], seeds [1, 2],
        "A gateway that took what was queued for sent, and lost it with the restart: https://github.com/jookies/jasmin/issues/706";

    // ---- requests on their way to the decision ------------------------------------------------------------------------
    KeyPerDelivery = "key-per-delivery",
        "A message delivered again is a new message.",
        found by ["I5"], seeds [1, 2],
        "A centre's answer came too late, the message went again, and was taken for another: https://github.com/opentelecoms-org/jsmpp/issues/63";
    ShortKeys = "short-keys",
        "The fingerprint of a message has eight bits.",
        found by ["I5"], seeds [3, 6],
        "Ids too short for their number, so that one got the other's answer: delivery receipts name messages by ten digits.";
    DecimalsLost = "decimals-lost",
        "The decimal point of an amount is lost.",
        found by ["I5", "did not happen"], seeds [1, 2],
        "Mt. Gox, banks and brokers alike: minor units taken for major ones, a hundredfold payment.";
    AmountInFloat = "amount-in-float",
        "Amounts pass through a float of 24 bits.",
        found by ["I5", "did not happen"], seeds [1, 2],
        "A tenth of a second in 24 bits, added up for a hundred hours, lost a missile at Dhahran in 1991: GAO/IMTEC-92-26";
    WrongPayee = "wrong-payee",
        "The last digit of the payee is lost and another stands for it.",
        found by ["I5", "did not happen"], seeds [2, 4],
        "Fields one place off, so that money went to the neighbour in the list.";
    PinNotCompared = "pin-not-compared",
        "Every PIN is right.",
        found by ["I5"], seeds [1, 2],
        "A comparison that could not fail: a line twice (goto fail, CVE-2014-1266), an empty password for root on macOS (CVE-2017-13872).";
    CodeNotCompared = "code-not-compared",
        "Every verification code is right.",
        found by ["I16"], seeds [132, 281],
        "A voucher paid to whoever knew its number.";
    PasswordNotCompared = "password-not-compared",
        "Every withdrawal password is right.",
        found by ["I16"], seeds [3, 11],
        "A code in the request that the server never looked at.";

    // ---- rules that stand in the policy -------------------------------------------------------------------------------
    PinsWithoutEnd = "pins-without-end",
        "A PIN may be tried again and again.",
        found by ["I15"], seeds [3, 5],
        "Guessing a code of few digits without a limit that holds.";
    PinPauseForgotten = "pin-pause-forgotten",
        "After three wrong PINs there is no pause.",
        found by ["I15"], seeds [3, 5],
        "Instagram's limit for a reset code counted by address and could be raced: The Zero Hack, How I could have hacked any Instagram account, July 2019";
    CodesWithoutEnd = "codes-without-end",
        "A verification code may be tried again and again.",
        found by ["I15"], seeds [118, 307],
        "A second factor of six digits that was only as good as the limit that it did not have.";
    PasswordsWithoutEnd = "passwords-without-end",
        "A withdrawal password may be tried again and again.",
        found by ["I15"], seeds [1, 3],
        "Gift cards and vouchers emptied by trying numbers.";
    RegistrationsWithoutEnd = "registrations-without-end",
        "Codes for a registration are sent without limit.",
        found by ["I15"], seeds [13, 14],
        "Codes that robots asked for cost Twitter 60 million dollars a year, as its owner said on 20 December 2022 (Benzinga, 21 December 2022)";
    RegistrationCodesWithoutEnd = "registration-codes-without-end",
        "The code of a registration may be tried again and again.",
        found by ["I15"], seeds [35, 38],
        "WhatsApp and others were registered by trying codes of six digits.";
    ResendsWithoutEnd = "resends-without-end",
        "New withdrawal passwords are sent without limit.",
        found by ["I15"], seeds [1, 2],
        "Each new code is a new chance for whoever guesses.";
    DayWithoutLimit = "day-without-limit",
        "The limit of a day is not there.",
        found by ["I17"], seeds [22, 54],
        "An upgrade left the limits out, and customers took more than 40 million dollars that night: Commercial Bank of Ethiopia, 16 March 2024 (BBC News, 18 March 2024)";
    MonthWithoutLimit = "month-without-limit",
        "The limit of a month is not there.",
        found by ["I17"], seeds [7, 13],
        "Limits that were kept by the day alone, and passed day by day.";
    OnceWithoutLimit = "once-without-limit",
        "The limit of one transfer is not there.",
        found by ["I17"], seeds [1, 4],
        "Citigroup credited a customer with 81 trillion dollars instead of 280, past two people who looked at it: Financial Times, 28 February 2025";
    ForgetsSoon = "forgets-soon",
        "Repeats are known for a minute only.",
        found by ["I5"], seeds [1, 2],
        "A fault of scheduling doubled 75,000 payments, 130 million pounds, on Christmas Day 2021: Santander UK, statement of 30 December 2021";
    ExpiresEarly = "expires-early",
        "The period of a transfer is counted in another unit.",
        found by ["I8"], seeds [1, 2],
        "One side's seconds were the other's milliseconds; in 1999 a unit lost a probe to Mars.";

    // ---- rows, as they would stand had they been decided wrongly --------------------------------------------------------
    RefundsTwice = "refunds-twice",
        "What comes back comes back twice.",
        found by ["I3", "I8", "I9"], seeds [1, 2],
        "Revolut in the USA gave back declined payments that had never been taken: 23 million dollars, 2021 and 2022 (Financial Times, 9 July 2023)";
    RefusedAndDone = "refused-and-done",
        "What was refused moved money all the same.",
        found by ["a refusal moved money"], seeds [1, 2],
        "FASTCash: what a bank's switch would have declined was answered as approved, and machines paid out: US-CERT TA18-275A, 2 October 2018";
    MoneyFromNothing = "money-from-nothing",
        "A credit is larger than its debit.",
        found by ["I3"], seeds [1, 2],
        "Parallel transfers between gift cards doubled what was on them: Sakurity, Hacking Starbucks for unlimited coffee, 21 May 2015";
    Overdraws = "overdraws",
        "An account pays what it does not hold.",
        found by ["I4"], seeds [1, 2],
        "A sum that overflowed passed the check of the balance; 184 billion bitcoins came of it: CVE-2010-5139";
    PostsToItself = "posts-to-itself",
        "A posting from an account to the same account.",
        found by ["I14"], seeds [1, 2],
        "Transfers to oneself whose credit was reckoned from the balance before the debit.";
    MixesCurrencies = "mixes-currencies",
        "Money crosses from one currency into another.",
        found by ["I2"], seeds [1, 2],
        "Amounts whose currency was understood rather than written.";
    LosesFee = "loses-fee",
        "A fee is taken and reaches nobody.",
        found by ["I13", "I3"], seeds [1, 2],
        "Fractions that fall under the table, or into somebody's account.";
    LeavesGap = "leaves-gap",
        "A number is left out of the log.",
        found by ["I18"], seeds [1, 2],
        "Sequences of a database that skip what was rolled back, taken for a ledger's numbers.";
    TimeFalls = "time-falls",
        "A row is older than the one before it.",
        found by ["I18"], seeds [1, 2],
        "A clock set back, or a leap day: petrol pumps in New Zealand stood still on 29 February 2024.";
    MakerApproves = "maker-approves",
        "Whoever proposes also approves.",
        found by ["I22"], seeds [1, 2],
        "Staff made money on an adjustment account, and nobody else had to agree: MTN Uganda, 2011 (Daily Monitor)";
    CounterFalls = "counter-falls",
        "A card's counter falls.",
        found by ["counter of a card fell"], seeds [2, 3],
        "A sealed message taken down once and played again.";
    TransferChanges = "transfer-changes",
        "A transfer's amount is another when it is claimed.",
        found by ["I10", "I8"], seeds [1, 2],
        "What was checked and what was paid were read at different times.";

    // ---- the order of things -------------------------------------------------------------------------------------------
    AnswersEarly = "answers-early",
        "People are answered before the row is durable.",
        found by ["I6"], seeds [1, 3],
        "Stores that acknowledge from memory: the default of more than one for years.";
    ReceiptsEarly = "receipts-early",
        "A receipt is acknowledged before what it said is kept.",
        found by ["before it was kept", "acknowledged and is awaited still"], seeds [1, 2],
        "Delivery reports lost because they were acknowledged before they were stored: https://github.com/jookies/jasmin/issues/247";
    TimersSleep = "timers-sleep",
        "Timers never ask what is due.",
        found by ["I24"], seeds [1, 2],
        "Schedulers that stopped without a word, and transfers that stayed in flight.";
    ReportsDropped = "reports-dropped",
        "What a link reports of its messages is dropped now and then.",
        found by ["I24"], seeds [1, 2],
        "A full queue that drops what it cannot hold, and tells nobody.";

    // ---- texts on their way to phones ------------------------------------------------------------------------------------
    TextLost = "text-lost",
        "A text that is reported delivered never came.",
        found by ["was told"], seeds [1, 2],
        "Grey routes that report what they never delivered: https://github.com/jookies/jasmin/issues/706";
    TextAltered = "text-altered",
        "A text tells of another balance.",
        found by ["was told"], seeds [1, 2],
        "Balances read from a replica that was behind.";
    TextForged = "text-forged",
        "Somebody else writes as if they were the platform.",
        found by ["reference"], seeds [1, 2],
        "False receipts shown to agents, and false calls for money sent by mistake: GSMA, Mobile Money Fraud Typologies and Mitigation Strategies, 2024";
    TextCrossed = "text-crossed",
        "A text goes to somebody else.",
        found by ["I5", "moved no money of theirs", "told", "reference"], seeds [1, 2],
        "Answers matched to the wrong session and shown to the wrong customer.";

    // ---- the office --------------------------------------------------------------------------------------------------
    IssuesAgain = "issues-again",
        "A deposit is issued again under another spelling of the bank's reference.",
        found by ["I21"], seeds [1, 3],
        "A bank's file loaded a second time: BPI posted a day's transactions twice.";
    IssuesTooMuch = "issues-too-much",
        "More is issued than the bank holds.",
        found by ["I21"], seeds [1, 3],
        "Electronic money made without a deposit behind it, through a dispute account: MTN Uganda, 2013 (Daily Monitor)";
}
