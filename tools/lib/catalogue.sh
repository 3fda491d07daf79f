# SPDX-License-Identifier: Apache-2.0
# Sourced by tools/demo: the people and the courses that --keep leaves. It calls run and grab of the demo.
# shellcheck shell=bash

# person NAME ROLE DISPLAY_NAME LANGUAGE: an account that has signed in.
person() {
	grab userId anybody register-user --user-name "$1" --password-file "$password" --display-name "$3" --language "$4"
	declare -g "$1=$taken"
	[ "$2" = learner ] ||
		run admin set-user-roles --user-id "$taken" --roles learner --roles "$2" --reason "stays with the demo"
	run "$1" login --login "$1" --password-file "$password"
}

people() {
	person lin instructor "林老师" zh-Hans
	person mei learner "小梅" zh-Hans
	person sam support "Sam" en
	person paul payments "Paul" en
}

# subject ENGLISH CHINESE: makes it; courses that follow are of it.
subject() {
	grab subjectId admin create-subject --name-en "$1" --name-zh "$2"
	subject=$taken
}

# course TEACHER LANGUAGE LEVEL HOURS PRICE TITLE SUMMARY: a draft that what follows is put into; PRICE is free, or an amount.
course() {
	local pricing=(--prices "$5")
	[ "$5" != free ] || pricing=(--free)
	teacher=$1 title=$6
	grab courseId "$teacher" create-course --subject-id "$subject" --language "$2" --level "$3" \
		--planned-learning-hours "$4" "${pricing[@]}" --title "$title" --summary "$7" --license CC-BY-4.0
	course=$taken price=$5 section=() first=
}

# section TITLE: lessons that follow are in it.
section() {
	grab sectionId "$teacher" create-section --course-id "$course" --title "$1"
	section=(--section-id "$taken")
}

# lesson KIND TITLE [FLAG...]: makes one.
lesson() {
	grab lessonId "$teacher" create-lesson --course-id "$course" "${section[@]}" --kind "$1" --title "$2" "${@:3}"
	lesson=$taken
}

# text TITLE [FLAG...]: a lesson to read, from standard input.
text() {
	lesson text "$@"
	first=${first:-$lesson}
	run "$teacher" set-lesson-text --lesson-id "$lesson" --format markdown --text "$(cat)"
}

# quiz TITLE: a lesson that asks, from standard input.
quiz() {
	lesson quiz "$1"
	run "$teacher" --json - set-quiz < <(sed "s/LESSON/$lesson/")
}

# publish: puts the draft on sale.
publish() {
	run "$teacher" submit-course-for-review --course-id "$course"
	run admin approve-course --course-id "$course" --comment "Read, and fit to be shown."
	say "  $title"
}

# reader WHO STARS REVIEW: takes the course or buys it, reads its first text, and says what that was like.
reader() {
	if [ "$price" = free ]; then
		run "$1" enroll-in-course --course-id "$course"
	else
		run paul top-up-wallet --user-id "${!1}" --amount "$price" --provider bank-transfer \
			--provider-payment-id "$1-$course"
		run "$1" purchase-course --course-id "$course" --currency-code "${price#* }" --expected-total "$price" \
			--payment-source wallet
	fi
	run "$1" record-progress --lesson-id "$first" --session-id "$(cat /proc/sys/kernel/random/uuid)" \
		--session-start-time now --client-time now --completed
	run "$1" create-review --course-id "$course" --stars "$2" --text "$3"
}

english_courses() {
	subject "Languages" "语言"
	course grace en beginner 4 "19.00 EUR" "E-mail that gets an answer" \
		"Say what you want in the first line, and be thanked for it."
	section "Before you write"
	text "One letter, one wish" --free-preview <<'END'
A letter that asks for three things gets an answer to one of them, and rarely to the one you need. Write down in a single
sentence what the reader is to do. If you need two sentences, you have two letters.
END
	text "Who reads it, and where" <<'END'
Most letters are read on a telephone between two other things. What stands below the first screen is read later, which often
means never. So put the wish first, the reason second, and everything else where it can be left out.
END
	section "While you write"
	text "The subject line" <<'END'
*Question* is no subject line. *Room for twelve people on Friday at ten?* is one: it can be answered without opening the letter.
END
	publish
	reader ada 4 "Short, and I write shorter since."

	subject "Science" "科学"
	science=$subject
	course grace en all 6 free "The night sky with the naked eye" \
		"What moves, what stays, and what you can see without a telescope."
	section "The first evening"
	text "Finding north" --free-preview <<'END'
Look for the Plough and go five times the distance of its two back stars. You meet a star that is not very bright and stands
alone: Polaris. All others turn around it in a day; it hardly moves. South of the equator there is no such star, and the
Southern Cross has to do.
END
	text "Star or planet?" <<'END'
Stars twinkle, planets hardly do: a star is a point, which a breath of air moves; a planet is a small disc, over which the
trembling is averaged out. If a bright light does not twinkle and stands near the path of the Moon, it is very likely a planet.
END
	section "The first month"
	text "The Moon keeps a calendar" <<'END'
The full Moon rises when the Sun sets. A week later it rises at midnight, and after another week it is lost in the morning. Note
for a month where it stands at ten in the evening, and you have measured how fast it goes: some thirteen degrees a day.
END
	lesson exercise "Draw the sky above your street"
	publish
	preview=$first
	reader ada 5 "I found north from our balcony."
	reader mei 5 "第一次分清了星星和行星。"

	subject "Business" "商业"
	business=$subject
	course grace en intermediate 8 "39.00 EUR" "Reading a balance sheet" \
		"Where the money is, whose it is, and what the two columns have to do with each other."
	section "Two columns"
	text "Why both sides are equal" --free-preview <<'END'
The left side says what a firm has, the right side from whom it has it: from lenders or from owners. Each thing came from
somebody, so the sums are equal, not because the firm does well, but because nothing comes from nowhere.
END
	text "Profit is not cash" <<'END'
A firm sells for 100 and is paid next year. Its profit is 100 today, its cash is 0. Firms rarely end because they make no
profit in a year; they end because on one day they cannot pay. So read what they are owed as carefully as what they own.
END
	section "Signs of trouble"
	text "Three questions" <<'END'
1. Does what customers owe grow faster than what they buy?
2. Does the store grow while sales stand still?
3. Must more be paid back within a year than is there or will come in?

One *yes* is a question for the management. Three are an answer.
END
	publish

	subject "Arts" "艺术"
	arts=$subject
	course grace en beginner 10 "29.00 EUR" "Drawing what you see" \
		"Not what you know: exercises for eye and hand, with a pencil and a window."
	section "Edges"
	text "Draw the gaps" --free-preview <<'END'
We know what a chair looks like, and so we draw what we know. Nobody knows what the gaps between its legs look like. Draw those,
and the chair stands on the paper by itself, in the right place.
END
	lesson exercise "A chair, by its gaps"
	section "Light"
	text "Three greys are enough" <<'END'
Half close your eyes until colours go. What is left is light, middle and dark. Lay these three down before any detail: a drawing
that is right with three greys needs no fourth, and one that is wrong is not saved by it.
END
	publish
}

chinese_courses() {
	subject "Mathematics" "数学"
	course lin zh-Hans beginner 6 "99.00 CNY" "概率从数数开始" "不用公式，先把每一种可能都数清楚。"
	section "数清楚"
	text "一共有几种" --free-preview <<'END'
掷两枚硬币，有人说结果有三种：两正、两反、一正一反，所以一正一反的概率是三分之一。把硬币一枚涂红、一枚涂蓝再数一遍：红正蓝反和红反蓝正是两种，
所以一共四种，答案是二分之一。数错了，再好的公式也救不回来。
END
	text "条件会改变总数" <<'END'
知道「至少有一枚是正面」以后，两反就不可能了，四种只剩三种。概率变了，不是因为硬币变了，而是因为我们知道得更多了。
END
	section "检验"
	quiz "两枚硬币，两颗骰子" <<'END'
{"lessonId": "LESSON", "quiz": {"scoring": "QUIZ_SCORING_BEST", "passBasisPoints": 6000, "questions": [
 {"key": "coins", "prompt": "掷两枚硬币，已知至少一枚是正面，两枚都是正面的概率是多少？", "points": 2, "singleChoice": {
  "options": [{"key": "a", "text": "二分之一"}, {"key": "b", "text": "三分之一"}, {"key": "c", "text": "四分之一"}],
  "solution": {"optionKey": "b"}}},
 {"key": "dice", "prompt": "掷两颗骰子，点数之和为 7 的情况有几种？", "points": 1, "numeric": {"unit": "种",
  "solution": {"value": "6"}}}]}}
END
	publish
	asked=$lesson
	reader mei 5 "终于知道那个四分之一是从哪里来的了。"

	course grace en intermediate 6 "12.00 EUR" "Probability by counting" \
		"No formulas before every case was counted: coins, dice, and a famous door."
	section "Counting"
	text "How many cases are there?" --free-preview <<'END'
Two coins, three results, one of which is *one of each*: so it comes in a third of all throws? Paint one coin red and one blue.
*Red heads, blue tails* and *red tails, blue heads* are two cases, of four in all. It comes in half of the throws, whatever the
paint.
END
	text "The door that was opened" <<'END'
You chose one of three doors; the host, who knows where the prize is, opens another one that is empty. Stay or change? Count the
prize's places: behind your door, once in three; elsewhere, twice in three, and then he has just shown you where. Change.
END
	section "Try yourself"
	quiz "Coins, dice and doors" <<'END'
{"lessonId": "LESSON", "quiz": {"scoring": "QUIZ_SCORING_BEST", "attemptLimit": 3, "passBasisPoints": 6000, "questions": [
 {"key": "door", "prompt": "How often does changing the door win?", "points": 2, "singleChoice": {
  "options": [{"key": "third", "text": "Once in three"}, {"key": "half", "text": "Once in two"},
   {"key": "two-thirds", "text": "Twice in three"}], "solution": {"optionKey": "two-thirds"}}},
 {"key": "seven", "prompt": "How many throws of two dice make seven?", "points": 1, "numeric": {
  "solution": {"value": "6"}}},
 {"key": "fair", "prompt": "Which of these come in half of all throws?", "points": 2, "multipleChoice": {
  "options": [{"key": "even", "text": "An even number with one die"}, {"key": "six", "text": "A six in three throws"},
   {"key": "mixed", "text": "One of each with two coins"}], "solution": {"optionKeys": ["even", "mixed"]}}}]}}
END
	publish
	reader ada 3 "The door still bothers me."

	subject=$computing
	course lin zh-Hans beginner 2 free "一小时学会二分查找" "最短的算法，最容易写错的边界。"
	section "想法"
	text "猜数字" --free-preview <<'END'
我想一个一到一千之间的数，你每猜一次，我只说「大了」或「小了」。每次都猜中间，十次一定猜到：因为每问一次，可能的数就少了一半。
END
	section "写下来"
	text "区间里到底有什么" <<'END'
先定一句话，整个循环都不许违反：**要找的数如果存在，一定在 [low, high) 里**。每次移动 low 或 high 之前问一句：这句话还成立吗？
边界错误不是粗心，而是没有这句话。
END
	lesson exercise "用纸和笔走一遍"
	publish
	reader mei 4 "边界那一节读了两遍，值得。"

	course grace en beginner 3 free "Ten habits of careful programs" \
		"Small rules that have nothing to do with any language."
	section "Before it runs"
	text "Say what must hold" --free-preview <<'END'
Above each loop write one sentence that is true whenever its body begins. If you cannot find one, you do not know yet what the
loop does; who reads it later will not either.
END
	text "Refuse early" <<'END'
What cannot be right is refused where it comes in, whole, and with a word about what was wrong. Deep inside, the same check
comes too late: half of the work is done, and nobody knows which half.
END
	section "When it breaks"
	text "Twice is not more than once" <<'END'
An answer that was lost looks like work that was not done. So give each wish a name of its own, and make doing it a second time
mean: it was done.
END
	publish
	habits=$course
	reader ada 5 "I read one a day."
	# Revision 2, edited beside what is on sale meanwhile.
	run grace update-course --course.course-id "$course" --course.summary \
		"Small rules that have nothing to do with any language; now with the one about clocks."
	text "Ask no clock who came first" <<'END'
Two machines agree on the time until it matters. What must come before something else should hand it a number, and the one with
the greater number is the later.
END
	publish

	subject=$science
	course lin zh-Hans all 5 "68.00 CNY" "厨房里的化学" "从一锅粥、一块面团、一勺醋看见分子。"
	section "加热"
	text "为什么高山上煮不熟饭" --free-preview <<'END'
水开的温度不是固定的。气压越低，水越早沸腾，汤面翻滚得很热闹，锅里却只有八十几度。高压锅做的是相反的事：把气压抬高，让水热到一百二十度才开。
END
	text "面包的颜色" <<'END'
糖和蛋白质在一百四十度以上相遇，就变出金黄色和香味。蒸笼里只有一百度，所以馒头是白的，面包皮是黄的，用的却可以是同一块面团。
END
	section "酸和碱"
	text "醋和小苏打" <<'END'
气泡是二氧化碳。它在面团里撑起一个个小洞，热把洞壁定住，于是有了松软。先放醋还是先放小苏打没有关系，放好以后等多久才下锅，关系很大。
END
	publish
	reader mei 4 "馒头为什么是白的，我讲给全家听了。"

	subject=$business
	course lin zh-Hans intermediate 8 "128.00 CNY" "读懂一张资产负债表" "钱在哪里，是谁的，两边为什么总是相等。"
	section "两边"
	text "左边和右边" --free-preview <<'END'
左边说公司有什么，右边说这些东西从谁那里来：借来的，或者股东投入的。每样东西都有来处，所以两边相等。相等并不说明公司经营得好，
只说明没有东西凭空出现。
END
	text "利润不是现金" <<'END'
今天卖出一百，明年收款：今天的利润是一百，现金是零。公司很少因为一年没有利润而倒下，却常常因为某一天付不出钱而倒下。
END
	publish

	subject=$arts
	course lin zh-Hans beginner 10 "79.00 CNY" "毛笔入门" "一支笔、一碗水、一块旧报纸。"
	section "一笔"
	text "先用清水" --free-preview <<'END'
旧报纸上蘸清水写，干了再写。没有墨，就没有写坏的字，手就不紧张；手不紧张，才感觉得到笔尖在哪里。
END
	lesson exercise "一百个「一」字"
	section "一字"
	text "看空白" <<'END'
不要只看黑的笔画，看它们围出来的白。白匀了，字就稳了。
END
	publish

	course grace en advanced 12 "59.00 EUR" "Perspective without a ruler" "Waits for an administrator."
	text "Where the eye is" <<'END'
All that is as high as your eye lies on one line, wherever it stands. Find that line first.
END
	run grace submit-course-for-review --course-id "$course"
	say "  $title (in review)"
}

catalogue() {
	people
	english_courses
	chinese_courses
}

# suggestions: what to try with it, a command a line.
suggestions() {
	sed "s|^|  $home/as |" <<EOF
anybody list-subjects
anybody list-courses --order title
anybody list-courses --language zh --free-only
anybody list-courses --query "balance sheet"
anybody list-courses --query 概率
anybody get-course --course-id $habits
anybody get-instructor --instructor-id $lin
anybody list-reviews --course-id $habits
anybody get-lesson-content --lesson-id $preview
ada list-course-revisions --course-id $habits
ada list-enrollments
mei get-quiz --lesson-id $asked
grace list-courses --instructor-id $grace
grace copy-course --course-id $habits --title "Ten habits, next term"
admin approve-course --course-id $course
sam get-user --user-name mei
paul top-up-wallet --user-id $mei --amount "200.00 CNY" --provider bank-transfer --provider-payment-id demo-2
mei get-wallet
EOF
}
