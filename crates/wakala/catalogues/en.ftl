# English. Every text keeps to the GSM-7 alphabet (3GPP TS 23.038).

## Money that moves

sent = Ref { $ref }: { $amount } sent to { $payee }. Fees { $charges }. Balance { $balance }.
received = Ref { $ref }: you received { $amount } from { $sender }. Fees { $charges }. Balance { $balance }.
sent-by-password = Ref { $ref }: { $amount } for { $payee }, to collect by { $expires }. Fees { $charges }. Balance { $balance }.
withdrawal-password = Ref { $ref }: { $amount } from { $sender } until { $expires }. Password { $code }: tell nobody. Send QT*your number*password*agent code
verification-code = Ref { $ref }: code { $code }, for { $minutes } min. Give it only to agent { $agent }, nobody else. Of { $amount } you get CASH { $cash }.
paid-out-by-you = Ref { $ref }: hand over CASH { $cash } to { $payee }. Your commission { $commission }. Balance { $balance }.
already-paid-by-you = Ref { $ref }: you were paid for this on { $at }. If not done yet, hand over CASH { $cash } to { $payee }. Only once.
paid-out-to-you = Ref { $ref }: take CASH { $cash } of { $amount } from agent { $agent }. Count it before you leave.
collected = Ref { $ref }: { $payee } has collected { $amount }.
deposited = Ref { $ref }: { $amount } put into your account. Fees { $charges }. Balance { $balance }.
resent = Ref { $ref }: a new password for { $amount } was sent to { $payee }. The old password no longer works.
recalled = Ref { $ref }: taken back from { $payee }. { $returned } returned to you. Balance { $balance }.
recalled-from-you = Ref { $ref }: { $sender } has taken { $amount } back. Your password no longer works.
recall-asked = Ref { $ref }: { $sender } asks for { $amount } back. To agree, send RA*{ $digits }*PIN. If you do not agree, do nothing.
recall-asked-for-you = Ref { $ref }: we asked { $payee } to return { $amount }. We will write to you if they agree.
given-back = Ref { $ref }: { $amount } went back from you to { $sender }. Balance { $balance }.
got-back = Ref { $ref }: { $returned } came back to you from { $payee }. Balance { $balance }.
refunded = Ref { $ref }: { $payee } did not collect in time. { $returned } returned to you. Balance { $balance }.
lapsed = Ref { $ref }: { $amount } from { $sender } was not collected in time and has gone back.
reminder = Ref { $ref }: { $amount } from { $sender } waits for you until { $expires }, then it goes back. Collect it at an agent.
cash-taken-in = Ref { $ref }: CASH { $amount } taken in from { $customer }. Your commission { $commission }. Balance { $balance }.
cash-put-in = Ref { $ref }: { $amount } put in at agent { $agent }. Fees { $charges }. Balance { $balance }.
cash-taken-out = Ref { $ref }: take CASH { $cash } from agent { $agent }. Fees { $charges }. Balance { $balance }.
cash-to-hand-over = Ref { $ref }: hand over CASH { $cash } to { $customer }. Your commission { $commission }. Balance { $balance }.
float-supplied = Ref { $ref }: { $amount } float added. Balance { $balance }.
float-withdrawn = Ref { $ref }: { $amount } float taken back. Balance { $balance }.
unclaimed-paid = { $amount } that waited for you has been paid to you. Balance { $balance }.

## Account

balance = Balance { $balance }.
statement = Balance { $balance }. Newest first:
statement-empty = Balance { $balance }. No entries yet.
statement-line = { $day }/{ $month } { $change } { $what }
registration-code = Code { $code }. Someone asked to open an account on this number. Only if you did, send RG*{ $code } within { $minutes } min. Tell it to nobody, not even our staff.
registration-code-contested = Code { $code }. Someone asked to open an account on this number. Only if you did, send RG*{ $code }*your PIN within { $minutes } min. Tell it to nobody, not even our staff.
registered = Welcome. Your account is open. Never tell anyone your PIN. Send HP for help.
code-told-before = Your code is in a message that we sent you before. Never give it to anyone who calls you.
one-time-pin = One-time PIN { $code }. Send PN*{ $code }*new PIN within { $minutes } min. Give it to nobody, not even to our staff.
pin-changed = Your PIN has been changed. If it was not you, call { $care } at once.
pin-unlocked = Your PIN works again. If you have forgotten it, call { $care }.
language-set = We write to you in English from now on.
agent-enrolled = Welcome. You are agent { $agent }. Customers write this agent code. Send HP for help.
frozen = Your account has been stopped. Call { $care }.
unfrozen = You can use your account again.
closed = Your account has been closed. Questions: call { $care }.
number-changed = Your account is now on this number. If you did not ask for this, call { $care } at once.
number-left = Your account has moved from this number to another. If you did not ask for this, call { $care } at once.
tier-set = Your account level is now: { $tier }.
tier-entry = entry
tier-standard = standard
tier-full = full
card-bound = Your SIM card is ready. From now on use its menu: messages written by hand are no longer accepted.
receipt-genuine = Genuine receipt. Ref { $ref }: { $what }, { $amount } to { $payee }, { $at }. { $standing }
standing-waiting = It has not been collected yet.
standing-done = It is done.
standing-returned = It has gone back.

## Movements, as a receipt names them

movement-to-wallet = transfer
movement-by-password = transfer by password
movement-cash-in = cash-in
movement-cash-out = cash-out
movement-float = float

## Requests, as refusals and statements name them

request-transfer = transfer
request-query = query
request-claim = withdrawal
request-resend = new password
request-recall = recall
request-agree = return
request-registration = registration
request-cash-in = cash-in
request-cash-out = cash-out
request-balance = balance
request-statement = statement
request-change-pin = new PIN
request-language = language
request-check = receipt check
request-help = help
request-refund = refund
request-office = by our office

## Help

help-stranger = Money for you? Send QT*your number*password*agent code. To open an account: RG*PIN*name
help-customer =
    Send money: TM*number*amount*PIN
    Get cash: CO*agent code*amount*PIN
    Put in money sent to you: DP*password*PIN
    Balance: BL*PIN
    Statement: ST*PIN
    Take back: RC*reference*PIN
    New password: RS*reference*PIN
    New PIN: PN*old PIN*new PIN
    Receipt: CK*reference
    Language: LG*FR
help-agent =
    Pay out: GM*number*amount*code*PIN
    Cash-in: CI*number*amount*PIN
    Balance: BL*PIN
    Statement: ST*PIN
    PIN: PN*old PIN*new PIN
    Receipt: CK*reference
    Language: LG*FR

## Messages that cannot be read

malformed = { $fault } Write: { $form }
too-long = Your message is too long. Nothing was done. Write it in one short message. Send HP for help.
unknown = We do not know this message. Nothing was done. Send HP for help.
fault-fields = We could not read your message.
fault-number = Check the phone number.
fault-amount = The amount is digits only, like 1500 or 1500.50.
fault-pin = A PIN has 4 to 6 digits.
fault-password = A withdrawal password has 8 digits.
fault-code = The code has 6 digits.
fault-agent = Check the agent code.
fault-reference = Check the reference: it has 12 digits.
fault-name = Check the name.
fault-language = Choose EN, FR, SW or ZH.
fault-identity = Check the number of the identity document.

## The right forms

form-transfer = TM*number*amount*PIN
form-query = QT*your number*password*agent code
form-claim-by-code = GM*number*amount*code*PIN
form-claim-by-password = GW*number*amount*password*PIN
form-deposit = DP*password*PIN
form-resend = RS*reference*PIN
form-recall = RC*reference*PIN
form-agree = RA*reference*PIN
form-register = RG*PIN*name
form-registration = RG*PIN*name, then RG*code
form-cash-in = CI*number*amount*PIN
form-cash-out = CO*agent code*amount*PIN
form-balance = BL*PIN
form-statement = ST*PIN
form-change-pin = PN*old PIN*new PIN
form-language = LG*EN
form-check = CK*reference
form-help = HP

## The same message twice

repeated = Same message again: it counts once only. { $answer }
repeated-on-purpose = Same message again: it counts once only. { $answer } To do it once more, add *2 at the end.

## Refusals: each says what to do

refused = Not done: { $asked }. { $why }
refused-not-registered = This number has no account. To open one, send { form-register }
refused-not-for-agents = This is for customers only. Write from a number that is not an agent's.
refused-not-an-agent = Only agents can do this. Send HP for help.
refused-account-frozen = Your account has been stopped. Call { $care }.
refused-not-sealed = Use the menu of your SIM card. Messages written by hand are not accepted from this number.
refused-plain-not-served = Use the menu of your SIM card. Messages written by hand are not accepted.
refused-counter-too-low = Please write your message again and send it.
refused-card-blocked = Your SIM card can no longer be used here. Call { $care } for a new one.
refused-slowed = Too many wrong tries. Please try again later.
refused-wrong-pin = Wrong PIN. Check it and send again. Too many wrong tries lock your PIN.
refused-pin-locked = Your PIN is locked after wrong tries. Please try again later.
refused-pin-locked-by-tries = Your PIN is locked after too many wrong tries. Call { $care }.
refused-weak-pin = This PIN is too easy to guess. Choose another: not your number, your birth year or digits like 1234.
refused-change-pin-first = First change your one-time PIN: { form-change-pin }
refused-one-time-pin-expired = Your one-time PIN is too old. Call { $care } for a new one.
refused-no-pin = You have no PIN yet. Call { $care }.
refused-same-pin = The new PIN is the same as the old one. Choose another.
refused-not-mobile = This is not a mobile number. Check it and send again.
refused-to-oneself = This is your own number. Write another person's number.
refused-payee-is-agent = This number belongs to an agent. To get cash from an agent, send { form-cash-out }
refused-payee-frozen = This number cannot receive money now.
refused-payee-not-registered = This number has no account. Its owner can open one: { form-register }
refused-unknown-agent = There is no such agent. Check the agent code and send again.
refused-own-dealing = You cannot do this with a number of your own.
refused-other-currency = The other account is in another currency. Use an account in the same currency.
refused-bad-amount = Check the amount and send again, like 1500 or 1500.50.
refused-amount-too-small = The amount is too small. Write a larger one.
refused-amount-too-large = The amount is too large for one time. Write a smaller one.
refused-day-limit = This is more than you may move in one day. Write a smaller amount or wait until tomorrow.
refused-month-limit = This is more than you may move in one month. Write a smaller amount or wait until next month.
refused-payee-balance-limit = This number cannot receive so much. Write a smaller amount.
refused-not-enough-money = You do not have enough money for the amount and the fees. See your balance: { form-balance }
refused-not-enough-float = There is not enough float for this. Write a smaller amount, or get float first.
refused-operator-funds-short = We cannot do this now. Please try again later or call { $care }.
refused-charges-above-amount = The fees are more than the amount. Write a larger amount.
refused-wrong-password = Wrong withdrawal password. Check it in the message you received and send again.
refused-claims-paused = Too many wrong passwords. Please try again later.
refused-wrong-code = Wrong code. Check it with the payee and send again. Only a few tries are allowed.
refused-code-expired = The code is too old. The payee gets a new one with QT*number*password*agent code
refused-codes-exhausted = Too many wrong codes: no agent can pay this out. The sender can take it back: { form-recall }
refused-nothing-to-pay-out = No such transfer waits with you. Check number and amount. The payee must first send QT*number*password*agent code
refused-other-agent = The payee named another agent. To name you, the payee sends QT*number*password*agent code
refused-already-paid = This has been paid out already. Do not hand over cash.
refused-identity-needed = Add the number of the identity document at the end: *ID number
refused-password-at-agent-off = Not offered here. The payee must send QT*number*password*agent code
refused-password-at-agent-closed = No longer possible after a wrong password. The payee must send QT*number*password*agent code
refused-not-your-number = Send this from the phone whose number you write.
refused-nothing-waiting = No money waits for this number. Ask the sender.
refused-unknown-reference = No transfer found with this reference. Check it and send again.
refused-not-waiting = This transfer no longer waits. See where it is: { form-check }
refused-too-many-resends = No more new passwords for this transfer. You can take it back: { form-recall }
refused-not-recallable = This transfer can no longer be taken back. Call { $care }.
refused-recall-already-asked = The payee has been asked already. Please wait for the answer.
refused-no-recall-asked = Nobody has asked for this transfer back. There is nothing to do.
refused-already-returned = This transfer has gone back already. There is nothing to do.
refused-already-registered = This number has an account already. Send HP for help.
refused-no-registration = No registration is under way. Begin with { form-register }
refused-wrong-registration-code = Wrong code. Check it in the message you received and send again.
refused-registration-expired = The code is too old. Begin again with { form-register }
refused-wrong-registration-pin = Wrong PIN. Send the one that you chose, or begin again with { form-register }
refused-registration-contested = More than one PIN was chosen for this number. If you asked, send RG*code*PIN with your own.
refused-too-many-registrations = Too many registrations today. Please try again tomorrow.
refused-unknown-staff = There is no such member of staff.
refused-unknown-proposal = There is no such proposal.
refused-proposal-closed = This proposal is no longer open.
refused-same-person = A second person must approve this.
refused-bank-reference-used = This bank reference has been used already.
refused-name-taken = This name or code is taken. Choose another.
refused-unknown-account = This number has no account. Check it.
refused-wrong-state = The account is not in the right state for this.
refused-unknown-case = There is no such open case.
refused-staff-enrolled = There is staff already. A maker and a checker must enrol more.
refused-unsound-tariff = The terms of this tariff are not sound. Correct them.
refused-payee-must-register = This number has received all it may without an account. Its owner can open one: { form-register }
refused-card-in-use = This SIM card already serves another number.
refused-codes-missing = Please send your message again.
refused-too-many-receipts = You have asked about too many receipts. Please try again in an hour.

## Times

moment = { $day } { $month ->
        [1] Jan
        [2] Feb
        [3] Mar
        [4] Apr
        [5] May
        [6] Jun
        [7] Jul
        [8] Aug
        [9] Sep
        [10] Oct
        [11] Nov
       *[12] Dec
    } { $clock }
