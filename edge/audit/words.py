"""What explanations and statements say, in English and Chinese. A test holds that both are complete."""

from __future__ import annotations

ENGLISH, CHINESE = LANGUAGES = ("en", "zh")

WORDS: dict[str, tuple[str, str]] = {
    # --- kinds of entries ---
    "charge": ("Charge", "电费"),
    "water-charge": ("Water charge", "水费"),
    "fee": ("Fixed daily fee", "每日固定费用"),
    "topup": ("Top-up", "充值"),
    "opening-balance": ("Opening balance", "期初余额"),
    "trip": ("Cut-off", "停电"),
    "opening": ("Opening register", "起始表底"),
    "closing": ("Day closed", "日结"),
    "tariff": ("Price", "电价"),
    "reversal": ("Reversal", "冲正"),
    "refund": ("Refund", "退费"),
    "compensation": ("Compensation", "补偿"),
    "deduction": ("Deduction", "扣减"),
    "correction": ("Correction", "更正"),
    "reading-correction": ("Reading put right", "读数更正"),
    "credit": ("Emergency credit", "应急信用额度"),
    "debt": ("Agreed debt", "欠费协议"),
    "account": ("Tenancy begins", "入住"),
    "exit": ("Tenancy settled", "退租结算"),
    "replacement": ("Meter replaced", "换表"),
    "ratio": ("Multiplier changed", "倍率变更"),
    "money": ("Money", "资金"),
    "entry": ("Entry", "记录"),
    # --- how a register was obtained ---
    "freeze": (
        "daily freeze: the meter itself kept this register at midnight, and said so when it was asked",
        "日冻结：电表在零点自行冻结的示数，事后读取",
    ),
    "border": (
        "read at the border: the meter was read within a minute of that instant, and read again to be sure",
        "整点抄读：在该时刻一分钟内抄读，并复读确认",
    ),
    "interpolated": (
        "interpolated: nobody read the meter then; worked out between the readings before and after it",
        "插值：当时没有抄读，由前后两次读数推算",
    ),
    "estimate": (
        "estimate: the meter did not answer; a real reading will put it right",
        "估算：电表未应答；以后的实际读数将予以更正",
    ),
    "load-record": ("from the meter's load record of that instant", "取自电表该时刻的负荷记录"),
    "corrected": (
        "put right by two people: the register before it was wrong; their papers stand with this entry",
        "人工更正：原示数有误，由两人依凭据更正",
    ),
    "read": ("read from the meter at that instant", "当时从电表抄读"),
    "display": (
        "read off its display by a person, when it was taken off; two people answer for it",
        "拆表时由人从显示屏抄录，经两人确认",
    ),
    "saved": (
        "read from the meter and saved, before the gateway was last started",
        "网关上次启动之前从电表抄读并保存",
    ),
    "at-opening": (
        "opening register: read when the meter was taken in, and confirmed by a second reading",
        "起始表底：建档时抄读，并经第二次读数确认",
    ),
    "other-source": ("obtained as: {source}", "来源：{source}"),
    # --- rates and lines ---
    "total": ("total", "总"),
    "sharp": ("sharp", "尖"),
    "peak": ("peak", "峰"),
    "flat": ("flat", "平"),
    "valley": ("valley", "谷"),
    "deep": ("deep valley", "深谷"),
    "rate-line": ("{rate}", "{rate}"),
    "step-line": ("step {rate}, added", "第 {rate} 阶梯加价"),
    "surcharge-line": ("surcharge {rate}", "附加 {rate}"),
    # --- sentences ---
    "of-account": ("Account {id} {name}, room {room}", "账户 {id} {name}，房间 {room}"),
    "of-meter": (
        "Meter {id}: {model}, number {serial}, address {address} on {port}",
        "电表 {id}：{model}，表号 {serial}，地址 {address}，线路 {port}",
    ),
    "from": ("From", "起"),
    "between": ("Between", "中间"),
    "to": ("To", "止"),
    "frames": ("raw frames", "原始报文"),
    "no-frames": ("no raw frames are kept with it", "未保存原始报文"),
    "rests-on": ("rests on {at}  {registers}; {how}; {where}", "依据 {at}  {registers}；{how}；{where}"),
    "in-sweep": (
        "it stands in sweep {number} of this book; sweeps keep no raw frames",
        "见账本第 {number} 轮抄读；轮次抄读不保存原始报文",
    ),
    "in-no-sweep": (
        "not among the sweeps that are still kept; this entry alone tells it",
        "已不在保存的轮次抄读之中，仅由本记录载明",
    ),
    "of-this-charge": ("it is a register of this charge itself", "即本次计费自身的示数"),
    "of-charge-before": ("it is a register of the charge before this one", "即上一次计费的示数"),
    "stands-in-entry": (
        "it stands with its raw frames in entry {seq}: riser explain {seq}",
        "连同原始报文见记录 {seq}：riser explain {seq}",
    ),
    "straight": (
        "the load is taken as even between the two: {early} s of {whole} s had passed",
        "两次读数之间按均匀用电计：{whole} 秒中已过 {early} 秒",
    ),
    "straight-sum": (
        "{before} + {moved} x {early} / {whole} = {is} (rounded down)",
        "{before} + {moved} × {early} / {whole} = {is}（向下取整）",
    ),
    "hours-sum": (
        "{before} + {part} = {is}; of the {moved} between the two so much lies before, by the hours of its rate",
        "{before} + {part} = {is}；两次读数之间共 {moved}，按该时段的小时数，此前占这么多",
    ),
    "question": ("asked", "询问"),
    "answer": ("answered", "应答"),
    "register": ("register {rate}", "{rate}示数"),
    "rolled": ("over the top of the register", "示数翻转"),
    "difference": (
        "{end} - {start} = {used}{rolled}, x {multiplier} (multiplier) = {all}",
        "{end} - {start} = {used}{rolled}，× 倍率 {multiplier} = {all}",
    ),
    "by-registers": (
        "Hours are told apart by the meter's own registers.",
        "各时段电量取自电表的分时示数。",
    ),
    "by-borders": (
        "Hours are told apart by readings of the total at their borders.",
        "各时段电量由时段边界的总示数之差得出。",
    ),
    "guessed": ("Not said by the meter: {what}.", "非电表所报：{what}。"),
    "price": (
        "Price {name} ({tariff}), version {version}, in force since {since}; written by {by} (entry {seq}, {at})",
        "电价 {name}（{tariff}），第 {version} 版，自 {since} 起执行；录入：{by}（记录 {seq}，{at}）",
    ),
    "approved": ("approved by {who}", "批准：{who}"),
    "not-approved": ("no approval is written with it", "未记载批准人"),
    "price-unknown": (
        "Price {tariff}, version {version}: its entry is not in this book",
        "电价 {tariff} 第 {version} 版：账本中没有它的记录",
    ),
    "sum": ("sum", "合计"),
    "counter": (
        "Steps count from {period}: {before} before, {after} after",
        "阶梯自 {period} 起计：之前 {before}，之后 {after}",
    ),
    "amount": (
        "Amount {exact} yuan: {fen} in whole fen, and {residue} that stay in the balance, never lost",
        "金额 {exact} 元：整分 {fen} 元，余数 {residue} 元留在余额中，不会丢失",
    ),
    "balance": ("Balance {before} before, {after} after (yuan)", "余额：之前 {before}，之后 {after}（元）"),
    "move": ("{amount} yuan from {giver} to {taker}", "{amount} 元，由 {giver} 至 {taker}"),
    "written": ("Entry {seq}, written {at}", "记录 {seq}，写于 {at}"),
    "clock-doubted": ("the gateway did not trust its clock then", "当时网关时钟未经确认"),
    "hash": ("Hash {hash}", "哈希 {hash}"),
    "at-shell": ("Asked from a shell of this machine by its user {login}", "由本机系统用户 {login} 在命令行提出"),
    "by-whom": ("By {who} ({role})", "经办：{who}（{role}）"),
    "receipt": ("Receipt {receipt}", "收据 {receipt}"),
    "reference": ("Reference {reference}", "凭证号 {reference}"),
    "why": ("Reason: {why}", "原因：{why}"),
    "taken-off": (
        "Taken off: {model}, number {serial}, address {address}",
        "拆下：{model}，表号 {serial}，地址 {address}",
    ),
    "last-register": ("Its last register: {register} at {at}; {source}", "末次示数：{register}，{at}；{source}"),
    "no-last-register": ("It was never read, and nothing was charged on it", "从未抄到示数，未按其计费"),
    "put-on": (
        "In its place: {model}, number {serial}, address {address}",
        "换上：{model}，表号 {serial}，地址 {address}",
    ),
    "counts-from": ("Counted from register {register} at {at}", "自示数 {register}（{at}）起计量"),
    "ratio-line": ("The multiplier was {before}, and is {after}", "倍率由 {before} 改为 {after}"),
    "settled-by": ("What was used before is charged by entry {charge}", "之前的用量由记录 {charge} 计费"),
    "papers": ("Papers: {papers}", "凭证材料：{papers}"),
    "unbilled": (
        "Without a tenant: {quantity} since {since}, charged to nobody",
        "无租户期间：自 {since} 起用量 {quantity}，未向任何人计费",
    ),
    "trip-money": (
        "Available {available} yuan (posted {posted} at entry {seq}, used since {provisional}), limit {limit}",
        "可用 {available} 元（记录 {seq} 时入账 {posted}，其后已用 {provisional}），限额 {limit}",
    ),
    "trip-warned": (
        "Final warning: entry {final}; delivered: entry {delivered}, {minutes} minutes of powered time before",
        "最后警告：记录 {final}；送达：记录 {delivered}，此前通电 {minutes} 分钟",
    ),
    "trip-window": ("Cut window {begin} to {end}", "允许停电时段 {begin} 至 {end}"),
    # --- statement ---
    "meters": ("Meters", "表计"),
    "meter": ("Meter", "表计"),
    "opening-register": ("Opening register", "期初示数"),
    "closing-register": ("Closing register", "期末示数"),
    "used": ("Used", "用量"),
    "multiplier": ("Multiplier", "倍率"),
    "statement-of": ("Statement {month}", "对账单 {month}"),
    "opening-money": ("Opening balance at the start of {day}: {amount} yuan", "期初余额（{day} 零点）：{amount} 元"),
    "closing-money": (
        "Closing balance at the end of {day}: {amount} yuan{more}",
        "期末余额（{day} 结束）：{amount} 元{more}",
    ),
    "pair": ("{first} {second}", "{first} {second}"),
    "listed": ("{first}; {second}", "{first}；{second}"),
    "sums": ("By rate and step", "按时段与阶梯汇总"),
    "line": ("Line", "项目"),
    "quantity": ("Quantity", "数量"),
    "unit-price": ("Price, yuan", "单价（元）"),
    "amount-head": ("Amount, yuan", "金额（元）"),
    "postings": ("Every posting", "逐笔明细"),
    "date": ("Date", "日期"),
    "what": ("What", "事项"),
    "balance-head": ("Balance, yuan", "余额（元）"),
    "entry-head": ("Entry", "记录号"),
    "prices": ("Prices in force", "执行的电价"),
    "version": ("Version", "版本"),
    "since": ("In force since", "执行起始"),
    "set-by": ("Written by", "录入"),
    "newest": (
        "Newest entry of the book: {seq}, hash {hash}. Check: riser verify --anchor {seq}:{hash}",
        "账本最新记录：{seq}，哈希 {hash}。核对：riser verify --anchor {seq}:{hash}",
    ),
    "shown-fen": (
        "Money is exact to the billionth of a yuan; nothing on this page is rounded.",
        "金额精确到十亿分之一元，本页未作任何舍入。",
    ),
    "guessed-mark": ("with a guessed register", "含推算示数"),
    # --- vouchers ---
    "debit-head": ("Debit account", "借方科目"),
    "credit-head": ("Credit account", "贷方科目"),
    "posted": ("Posted, yuan", "入账金额（元）"),
    "exact": ("Exact amount, yuan", "精确金额（元）"),
    "residue-before": ("Residue before, yuan", "承前余数（元）"),
    "residue-after": ("Residue after, yuan", "结转余数（元）"),
    "reference-head": ("Reference", "凭据"),
    "text": ("Text", "摘要"),
    # --- totals ---
    "totals": ("Taken off {out}, paid in or given back {in}", "减少合计 {out}，增加合计 {in}"),
    "closed-through": (" (days are closed through {day})", "（已日结至 {day}）"),
    "none": ("none", "无"),
}
"""Key: (English, Chinese)."""


def say(key: str, language: str, **values: object) -> str:
    """A text with its values put in."""
    return WORDS[key][LANGUAGES.index(language)].format(**values)
