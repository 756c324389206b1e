# 简体中文。一条短信七十个字，故措辞从简。

## 资金往来

sent = 单号{ $ref }：已转{ $amount }给{ $payee }，费用{ $charges }，余额{ $balance }
received = 单号{ $ref }：收到{ $sender }转来{ $amount }，费用{ $charges }，余额{ $balance }
sent-by-password = 单号{ $ref }：{ $amount }待{ $payee }领取，{ $expires }截止，费用{ $charges }，余额{ $balance }
withdrawal-password = 单号{ $ref }：{ $sender }给您{ $amount }，{ $expires }前领取。取款密码{ $code }，勿告诉任何人。请发QT*本机号码*取款密码*代理点编号
verification-code = 单号{ $ref }：验证码{ $code }，{ $minutes }分钟内只告诉代理点{ $agent }。{ $amount }，到手现金{ $cash }
paid-out-by-you = 单号{ $ref }：请付现金{ $cash }给{ $payee }。佣金{ $commission }，余额{ $balance }
already-paid-by-you = 单号{ $ref }：此款{ $at }已付您。未付现则付现金{ $cash }给{ $payee }，仅一次
paid-out-to-you = 单号{ $ref }：请在代理点{ $agent }领取现金{ $cash }（共{ $amount }），当面点清
collected = 单号{ $ref }：{ $payee }已领取{ $amount }
deposited = 单号{ $ref }：{ $amount }已存入您的账户，费用{ $charges }，余额{ $balance }
resent = 单号{ $ref }：{ $amount }的新取款密码已发给{ $payee }，旧密码作废
recalled = 单号{ $ref }：已撤回给{ $payee }的转账，退回{ $returned }，余额{ $balance }
recalled-from-you = 单号{ $ref }：{ $sender }已撤回{ $amount }，您的取款密码作废
recall-asked = 单号{ $ref }：{ $sender }请您退回{ $amount }。同意请发RA*{ $digits }*PIN，否则不必理会
recall-asked-for-you = 单号{ $ref }：已请{ $payee }退回{ $amount }，对方同意后通知您
given-back = 单号{ $ref }：已从您的账户退{ $amount }给{ $sender }，余额{ $balance }
got-back = 单号{ $ref }：{ $payee }处退回{ $returned }，余额{ $balance }
refunded = 单号{ $ref }：{ $payee }逾期未领，退回{ $returned }，余额{ $balance }
lapsed = 单号{ $ref }：{ $sender }转来的{ $amount }逾期未领，已退回
reminder = 单号{ $ref }：{ $sender }转来{ $amount }，请在{ $expires }前到代理点领取，逾期退回
cash-taken-in = 单号{ $ref }：已收{ $customer }现金{ $amount }，佣金{ $commission }，余额{ $balance }
cash-put-in = 单号{ $ref }：在代理点{ $agent }存入{ $amount }，费用{ $charges }，余额{ $balance }
cash-taken-out = 单号{ $ref }：请在代理点{ $agent }领取现金{ $cash }，费用{ $charges }，余额{ $balance }
cash-to-hand-over = 单号{ $ref }：请付现金{ $cash }给{ $customer }。佣金{ $commission }，余额{ $balance }
float-supplied = 单号{ $ref }：周转金增加{ $amount }，余额{ $balance }
float-withdrawn = 单号{ $ref }：周转金收回{ $amount }，余额{ $balance }
unclaimed-paid = 您的待领款{ $amount }已付给您，余额{ $balance }

## 账户

balance = 余额{ $balance }
statement = 余额{ $balance }：
statement-empty = 余额{ $balance }，暂无记录
statement-line = { $month }-{ $day } { $change } { $what }
registration-code = 注册码{ $code }。有人申请为本号码开户，仅当是您本人，请{ $minutes }分钟内发RG*{ $code }。勿告诉任何人，包括我们的员工
registration-code-contested = 注册码{ $code }。有人申请为本号码开户，仅当是您本人，请{ $minutes }分钟内发RG*{ $code }*您的PIN。勿告诉任何人，包括我们的员工
registered = 欢迎！账户已开通。切勿把PIN告诉任何人。发HP可查看帮助
code-told-before = 密码或验证码已在之前的短信中发给您，请查看。切勿告诉来电索要的人
one-time-pin = 临时PIN：{ $code }。请在{ $minutes }分钟内发PN*{ $code }*新PIN。勿告诉任何人，包括我们的员工
pin-changed = PIN已修改。如非本人操作，请立即致电{ $care }
pin-unlocked = PIN已解锁。如已忘记，请致电{ $care }
language-set = 今后将用中文给您发短信
agent-enrolled = 欢迎！您的代理点编号是{ $agent }，客户须填写此编号。发HP可查看帮助
frozen = 您的账户已停用，请致电{ $care }
unfrozen = 您的账户已恢复使用
closed = 您的账户已销户。如有疑问，请致电{ $care }
number-changed = 您的账户已转到本号码。如非本人要求，请立即致电{ $care }
number-left = 您的账户已从本号码转到其他号码。如非本人要求，请立即致电{ $care }
tier-set = 您的账户等级现为：{ $tier }
tier-entry = 初级
tier-standard = 标准
tier-full = 高级
card-bound = SIM卡已启用。今后请使用卡内菜单，不再接受手写短信
receipt-genuine = 凭证属实。单号{ $ref }：{ $what }，{ $amount }给{ $payee }，{ $at }。{ $standing }
standing-waiting = 尚未领取
standing-done = 已完成
standing-returned = 已退回

## 凭证上的业务名称

movement-to-wallet = 转账
movement-by-password = 密码转账
movement-cash-in = 存现
movement-cash-out = 取现
movement-float = 周转金

## 拒绝与明细中的业务名称

request-transfer = 转账
request-query = 申请验证码
request-claim = 领款
request-resend = 新取款密码
request-recall = 撤回
request-agree = 退款
request-registration = 注册
request-cash-in = 存现
request-cash-out = 取现
request-balance = 查余额
request-statement = 查明细
request-change-pin = 改PIN
request-language = 换语言
request-check = 验凭证
request-help = 帮助
request-refund = 退回
request-office = 柜台

## 帮助

help-stranger = 有人给您转账？请发QT*本机号码*取款密码*代理点编号。开户请发RG*PIN*姓名
help-customer =
    转账TM*号码*金额*PIN
    取现CO*代理点编号*金额*PIN
    存入待领款DP*取款密码*PIN
    余额BL*PIN
    明细ST*PIN
    撤回RC*单号*PIN
    新密码RS*单号*PIN
    改PIN：PN*旧PIN*新PIN
    验凭证CK*单号
    语言LG*EN
help-agent =
    付款GM*号码*金额*验证码*PIN
    存现CI*号码*金额*PIN
    余额BL*PIN
    明细ST*PIN
    改PIN：PN*旧PIN*新PIN
    验凭证CK*单号
    语言LG*EN

## 看不懂的短信

malformed = { $fault }请发{ $form }
too-long = 短信太长，未办理。请写成一条短信。发HP可查看帮助
unknown = 短信无法识别，未办理。发HP可查看帮助
fault-fields = 短信无法识别。
fault-number = 请核对手机号码。
fault-amount = 金额只写数字，如1500或1500.50。
fault-pin = PIN为4至6位数字。
fault-password = 取款密码为8位数字。
fault-code = 该码为6位数字。
fault-agent = 请核对代理点编号。
fault-reference = 请核对单号，共12位数字。
fault-name = 请核对姓名。
fault-language = 请选EN、FR、SW或ZH。
fault-identity = 请核对证件号码。

## 正确格式

form-transfer = TM*号码*金额*PIN
form-query = QT*本机号码*取款密码*代理点编号
form-claim-by-code = GM*号码*金额*验证码*PIN
form-claim-by-password = GW*号码*金额*取款密码*PIN
form-deposit = DP*取款密码*PIN
form-resend = RS*单号*PIN
form-recall = RC*单号*PIN
form-agree = RA*单号*PIN
form-register = RG*PIN*姓名
form-registration = RG*PIN*姓名，再发RG*注册码
form-cash-in = CI*号码*金额*PIN
form-cash-out = CO*代理点编号*金额*PIN
form-balance = BL*PIN
form-statement = ST*PIN
form-change-pin = PN*旧PIN*新PIN
form-language = LG*ZH
form-check = CK*单号
form-help = HP

## 重复的短信

repeated = 重复短信，只办一次。{ $answer }
repeated-on-purpose = 重复短信，只办一次。{ $answer }。再办请在末尾加*2

## 拒绝：每条都说明该怎么办

refused = 未办理：{ $asked }。{ $why }
refused-not-registered = 此号码没有账户。开户请发{ form-register }
refused-not-for-agents = 仅限客户办理，请换用非代理点号码
refused-not-an-agent = 仅限代理点办理。发HP可查看帮助
refused-account-frozen = 您的账户已停用，请致电{ $care }
refused-not-sealed = 请使用SIM卡菜单，此号码不接受手写短信
refused-plain-not-served = 请使用SIM卡菜单，不接受手写短信
refused-counter-too-low = 请重新编写并发送
refused-card-blocked = 此SIM卡已不能使用，请致电{ $care }换卡
refused-slowed = 错误次数过多，请稍后再试
refused-wrong-pin = PIN错误，请核对后重发。多次错误将锁定PIN
refused-pin-locked = PIN因多次错误已锁定，请稍后再试
refused-pin-locked-by-tries = PIN因错误次数过多已锁定，请致电{ $care }
refused-weak-pin = PIN太易猜到，请另选，勿用本机号码、出生年份或1234之类
refused-change-pin-first = 请先修改临时PIN：{ form-change-pin }
refused-one-time-pin-expired = 临时PIN已过期，请致电{ $care }重新领取
refused-no-pin = 您还没有PIN，请致电{ $care }
refused-same-pin = 新旧PIN相同，请另选
refused-not-mobile = 这不是手机号码，请核对后重发
refused-to-oneself = 这是您自己的号码，请填写他人号码
refused-payee-is-agent = 对方是代理点。在代理点取现请发{ form-cash-out }
refused-payee-frozen = 此号码目前不能收款
refused-payee-not-registered = 此号码没有账户，机主可发{ form-register }开户
refused-unknown-agent = 没有此代理点，请核对编号后重发
refused-own-dealing = 不能与自己的号码办理
refused-other-currency = 对方账户币种不同，请使用同币种账户
refused-bad-amount = 请核对金额后重发，如1500或1500.50
refused-amount-too-small = 金额太小，请加大金额
refused-amount-too-large = 超过单笔限额，请减小金额
refused-day-limit = 超过当日限额，请减小金额或明天再办
refused-month-limit = 超过当月限额，请减小金额或下月再办
refused-payee-balance-limit = 对方不能收这么多，请减小金额
refused-not-enough-money = 余额不足以支付金额和费用。查余额请发{ form-balance }
refused-not-enough-float = 周转金不足，请减小金额或先补充周转金
refused-operator-funds-short = 暂时无法办理，请稍后再试或致电{ $care }
refused-charges-above-amount = 费用超过金额，请加大金额
refused-wrong-password = 取款密码错误，请核对收到的短信后重发
refused-claims-paused = 取款密码错误次数过多，请稍后再试
refused-wrong-code = 验证码错误，请与客户核对后重发。可试次数有限
refused-code-expired = 验证码已过期。请客户重新发QT*号码*取款密码*代理点编号
refused-codes-exhausted = 验证码错误过多，代理点不能再付。汇款人可撤回：{ form-recall }
refused-nothing-to-pay-out = 您处无此待领款，请核对号码和金额。客户须先发QT*号码*取款密码*代理点编号
refused-other-agent = 客户选了别的代理点。如改选您，请客户发QT*号码*取款密码*代理点编号
refused-already-paid = 此款已领取，请勿再付现金
refused-identity-needed = 请在末尾加上证件号码：*证件号码
refused-password-at-agent-off = 此处不提供该服务。请客户发QT*号码*取款密码*代理点编号
refused-password-at-agent-closed = 密码曾输错，此方式已关闭。请客户发QT*号码*取款密码*代理点编号
refused-not-your-number = 请用所填号码的手机发送
refused-nothing-waiting = 此号码没有待领款，请询问汇款人
refused-unknown-reference = 查无此单号的业务，请核对后重发
refused-not-waiting = 此笔转账已不在待领状态。查询请发{ form-check }
refused-too-many-resends = 此笔转账不能再换取款密码。可撤回：{ form-recall }
refused-not-recallable = 此笔转账已不能撤回，请致电{ $care }
refused-recall-already-asked = 已请求过对方，请等待答复
refused-no-recall-asked = 没有人要求退回此笔转账，无需处理
refused-already-returned = 此款已退回，无需处理
refused-already-registered = 此号码已有账户。发HP可查看帮助
refused-no-registration = 没有待完成的注册，请先发{ form-register }
refused-wrong-registration-code = 注册码错误，请核对收到的短信后重发
refused-registration-expired = 注册码已过期，请重新发{ form-register }
refused-wrong-registration-pin = PIN错误。请发您所设的PIN，或重新发{ form-register }
refused-registration-contested = 此号码被设过不止一个PIN。若是您本人注册，请发RG*注册码*PIN
refused-too-many-registrations = 今日注册次数过多，请明天再试
refused-unknown-staff = 没有此员工
refused-unknown-proposal = 没有此提案
refused-proposal-closed = 此提案已关闭
refused-same-person = 须由另一人批准
refused-bank-reference-used = 此银行流水号已使用过
refused-name-taken = 名称或编号已被占用，请另选
refused-unknown-account = 此号码没有账户，请核对
refused-wrong-state = 账户当前状态不能办理
refused-unknown-case = 没有此未结事项
refused-staff-enrolled = 已有员工。新增员工须两人经办
refused-unsound-tariff = 费率设置有误，请更正
refused-payee-must-register = 对方无账户，收款已达限额。机主可发{ form-register }开户
refused-card-in-use = 此SIM卡已用于其他号码
refused-codes-missing = 请重新发送短信
refused-too-many-receipts = 查验的凭证过多，请一小时后再试

## 时间

moment = { $month }月{ $day }日{ $clock }
