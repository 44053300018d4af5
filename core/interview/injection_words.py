"""The wordings of orders to a grader or a model, for core.interview.injections. Data, written as patterns.

An answer may speak of rubrics, prompts and scores: teachers, recruiters and engineers do. So a wording counts only
as an order (at a sentence's start, after a colon, with "you must") or where it names this answer and its marks.
"""

from __future__ import annotations

import re

_WHO = (
    r"(?:(?:(?:the|this|my|dear|automated|automatic|large) ){0,3}(?:ai|llm|language model|model|grader|"
    r"grading \w+|"
    r"scorer|scoring \w+|evaluator|assessor|examiner|assistant|chat ?gpt|gpt|claude|gemini|chatbot|bot|"
    r"judge|rater|"
    r"marker|marking \w+|evaluation \w+|recruiting system|screening \w+|reviewer))"
)
_OPENER = (
    r"(?:(?:please|now|so|but|and|also|then|first|instead|finally|therefore|important|note|attention|"
    r"kindly|just|ok|"
    r"okay|hi|hello|hey|ps|p\.s\.)[\s,:!.]{1,3}){0,4}"
)
_START = (
    rf"(?:(?:^|(?<=[.!?:;,\"“”'(\[{{<>*#=|/-]))\s*{_OPENER}|\b(?:please|kindly)\s+|"
    rf"\byou (?:must|should|shall|will|may|can|need to|have to|are to|ought to)(?: now| always|"
    rf" therefore| only)?\s+|"
    rf"\b(?:the )?{_WHO} (?:must|should|shall|will|has to|needs to|is to)\s+)"
)
_ASIDE = (
    r"(?:ignore|disregard|forget|override|overwrite|bypass|discard|suspend|neglect|abandon|set aside|look past|"
    r"pay no attention to|do(?: not|n['’]t) (?:follow|apply|use|obey|consider)|stop (?:following|applying|using)|"
    r"no longer (?:follow|apply|use))"
)
_RULES = (
    r"(?:(?:the |all |any |every |of |your |these |those |and ){0,5}(?:(?:previous|prior|earlier|above|"
    r"preceding|given|"
    r"original|initial|existing|former|system|grading|scoring|marking|evaluation|assessment|safety) ){1,3}"
    r"(?:\w+ )?(?:instructions?|rubric|prompts?|rules?|anchors?|criteria|guidelines?|directions|text|"
    r"messages?|checks?|"
    r"standards?|polic(?:y|ies)|context|data)|"
    r"(?:the |all |any |your |these |this |every |of ){0,5}(?:rubric|prompt|anchors|instructions|"
    r"system message|scoring|"
    r"grading|fence|data block)\b|"
    r"your (?:\w+ )?(?:rules|guidelines|criteria|programming|training|orders)|what you (?:were|have been) told|"
    r"(?:everything|anything|all) (?:above|before|else|so far|you|that came before))"
)
_GIVE = (
    r"(?:give|award|assign|grant|mark|rate|score|grade|rank|set|return|output|print|write|reply|respond|"
    r"answer|treat|"
    r"consider|count|accept|credit|report|record|confirm|declare|light|tick|list|include|put|judge|"
    r"classify|assume|"
    r"be sure to (?:give|mark|list)|make sure (?:to|that|you)|ensure)"
)
_MINE = (
    r"(?:me|my (?:answer|response|resume|cv|application|profile)|this (?:answer|response|candidate|"
    r"applicant|person|"
    r"resume|cv|application|one)|the (?:candidate|applicant|answer|response)|him|her|them|it|us)"
)
_BEST = (
    r"(?:full (?:marks?|points?|score|credit)|(?:maximum|max|highest|top|perfect|best|excellent|strong(?:est)?|"
    r"outstanding|a)(?: possible)?(?: \w+)? (?:marks?|points?|scores?|grades?|ratings?|band|levels?|"
    r"candidate|match)|"
    r"(?:10|ten|5|five|100|9)(?: (?:of|out of)|\s*/)\s*(?:10|ten|5|five|100)|(?:a )?(?:10|ten|100|"
    r"hundred)\b|100\s?%|"
    r"perfect|strong|excellent|outstanding|correct|complete|met|fulfilled|satisfied|hired?|passed|a\+|"
    r"level (?:5|five))"
)
_ALL = (
    r"(?:(?:all|every|each)(?: (?:one )?of)?(?: the| these| those| your| sixteen| twenty| 16| 20){0,3} "
    r"(?:anchors?|criteri(?:a|on)|dimensions?|points?|boxes|requirements?|codes?))"
)
_THIS = (
    r"(?:this (?:answer|response|candidate|applicant|resume|cv|application)|"
    r"the (?:candidate|applicant|answer above))"
)

_ORDERS = (
    # setting the instructions aside
    rf"{_START}{_ASIDE}\s+{_RULES}",
    r"\bignore (?:all |any |the |your |these |of ){0,4}(?:previous|prior|earlier|above|preceding) "
    r"(?:instructions?|prompts?|rules?|messages?|text)",
    r"\bignore (?:the |your |this )?(?:rubric|anchors|prompt|instructions)\b.{0,60}\b(?:give|mark|award|"
    r"score|rate)\b",
    r"\b(?:new|updated|revised|real|actual|secret|hidden|special|additional|further) (?:system )?"
    r"(?:instructions?|prompt|orders|directive|rubric)(?: for (?:you|the \w+)| from \w+)?\s*[:=]",
    r"\b(?:the|your) (?:rubric|instructions|criteria|anchors|prompt|scoring rules|grading rules)(?: above)? "
    r"(?:has|have|is|are|was|were)(?: now| just)? "
    r"(?:been )?(?:changed|replaced|updated|suspended|cancelled|void|obsolete|outdated|overridden|"
    r"no longer valid|a test)",
    # asking for marks
    rf"{_START}{_GIVE}\s+{_MINE}\s+(?:\w+\s+){{0,3}}?(?:an?\s+|the\s+|as\s+|with\s+|to\s+|at\s+|"
    rf"is\s+){{0,3}}{_BEST}",
    rf"{_START}{_GIVE}\s+(?:\w+\s+){{0,2}}?{_ALL}",
    rf"{_START}{_GIVE}\s+(?:an?\s+|the\s+|only\s+|out\s+|with\s+|in\s+){{0,3}}{_BEST}\s+(?:for|to|in|on|"
    rf"regardless|whatever|"
    rf"no matter|everywhere|throughout|across)\b",
    r"\b(?:give|award|grant|assign) (?:me|my answer|this (?:answer|response|candidate)) "
    r"(?:an? |the )?(?:full|maximum|max|highest|top|perfect|10|ten|100)\b",
    rf"(?<!where )(?<!when )(?<!that )(?<!until )(?<!whether )(?<!if )(?<!once )\b{_ALL} (?:is|are|was|"
    rf"were|has been|have been|should be|must be|count as)(?: \w+)? "
    r"(?:met|satisfied|fulfilled|shown|lit|present|true|verified|passed|covered)",
    rf"\b{_THIS} (?:clearly |fully |already |therefore |easily |certainly ){{0,3}}"
    r"(?:deserves?|merits?|earns?|is worth|must (?:get|receive|be given)|should (?:get|receive|"
    r"be (?:given|rated|scored|"
    r"hired|ranked))|gets|receives|scores?|has (?:earned|met|passed|shown|demonstrated)|meets|satisfies|fulfils|"
    r"demonstrates|shows|covers)\b.{0,50}"
    rf"\b(?:{_BEST}|{_ALL}|rubric|everything asked|all (?:that|what)|top of)",
    r"^\W{0,3}(?:overall |final |total |recommended |correct )?(?:score|grade|mark|rating|verdict|result|"
    r"evaluation)"
    r"\s*(?:for (?:this|my) answer\s*)?(?:[:=]|is|must be|should be)\s*(?:an? )?"
    r"(?:10|ten|100|5|full|perfect|pass|strong|excellent|a\+|hire|maximum)",
    r"\b[RSED][1-4]\b(?:(?:\s?[,;&/]\s?|\sand\s|\s)[RSED][1-4]\b){2,}",
    r"\b[RSED][1-4]\s*(?:=|:|is|are)\s*(?:met|true|yes|shown|satisfied)\b",
    # speaking to a model
    rf"^\W{{0,3}}{_OPENER}(?:(?:dear|hey|hello|hi|attention|note (?:to|for)|message (?:to|for)|"
    rf"instructions? (?:to|for)|"
    rf"a word to|to|for|listen) )?{_WHO}\s*(?:[:,!—–]|- |please\b|you\b|reading this)",
    rf"^\W{{0,3}}(?:attention|note|message|instructions?|memo|notice|warning|hint|reminder)\s*(?:to|for)\s+"
    rf"(?:all |any |every |whoever ){{0,3}}(?:{_WHO}s?\b|(?:who)?ever (?:grades|scores|reads|assesses|marks))",
    rf"\bif you are (?:an? |the )?{_WHO}\b",
    rf"\byou are (?:now |no longer |really |actually |only |a |an |the |my |in ){{0,3}}(?:{_WHO}\b|"
    r"(?:developer|debug|admin|test|god|jailbreak|maintenance|unrestricted) mode|dan\b|unrestricted|"
    r"generous|lenient|friendly (?:grader|examiner))",
    r"\bas an? (?:ai|llm|language model|ai model|ai grader|grader|impartial grader),? (?:you|it is your)\b",
    r"\b(?:developer|debug|admin|god|jailbreak|maintenance) mode (?:is |has been )?(?:on|enabled|"
    r"activated|active)\b",
    r"\bfrom (?:now|here|this point) on,? (?:you|your|only|every|all|always|respond|answer|grade|score)\b",
    r"\byour (?:new |only |real |true |actual |first |next |sole ){0,3}(?:task|job|role|goal|"
    r"instructions?|purpose|duty|"
    r"mission) (?:is|are|must|should|shall|will)(?: now| only)? (?:to\b|not\b|simply|changed|as follows|be\b)",
    rf"{_START}(?:pretend|act as|behave as|roleplay|role-play|imagine|simulate)\b(?: to be| like| as|"
    rf" that you are| you are)?"
    rf"(?: an?| the| my)? ?(?:{_WHO}|generous|best friend|lenient|no (?:rules|rubric|restrictions))",
    rf"{_START}(?:reveal|repeat|print|show|output|tell me|translate|summari[sz]e|quote|leak)\s+(?:me )?(?:all )?"
    r"(?:your|the (?:system|hidden|secret|full|above)|everything above)\s*(?:\w+ )?(?:prompt|"
    r"instructions?|message|rules|"
    r"rubric|this line)?",
    r"\b(?:do not|don['’]t|never|without) (?:report|mention|list|flag|note|name|include|tell|reporting|"
    r"mentioning|listing|"
    r"flagging|looking for|look for|search for)(?:ing)? (?:any |the |this |that |these |anyone ){0,3}"
    r"(?:mistakes?|errors?|faults|weaknesses|injections?|instructions?|messages?|sentences?|notes?|lines?)\b",
    r"\b(?:leave|keep|return) (?:the )?(?:mistakes?|errors?)(?: list| field)? (?:empty|blank)\b",
    r"\binjection[ _]?seen\b|\bset (?:\W?\w+\W? )?(?:\W?instruction\W?) to\b",
    rf"{_START}(?:use|copy|take|quote|cite) (?:this|the (?:following|whole|first|previous|next)|any|these) "
    r"(?:\w+ )?(?:sentence|passage|text|line|words?|answer)s? (?:as|for) (?:the |its |your |every |each |"
    r"all ){0,3}"
    r"(?:quote|evidence|proof|anchor)s?\b",
    rf"\b(?:the|this) {_WHO} (?:is|was|has been) (?:told|instructed|asked|required|ordered|authori[sz]ed) to "
    r"(?:give|award|mark|pass|accept|rate|score)",
    r"\b(?:the )?(?:operator|administrator|developers?|owner|company|openai|google|anthropic|greenroom|"
    r"hiring manager) "
    r"(?:has|have|of this \w+)?\s*(?:already )?(?:authori[sz]ed|approved|confirmed|instructed|"
    r"requires?d?|ordered|decided)"
    r"\b.{0,60}\b(?:score|marks?|pass|grade|rating|anchors?|points)\b",
    r"\b(?:a|one|the) (?:human|expert|senior|previous|first) (?:\w+ )?(?:grader|examiner|expert|reviewer|"
    r"rater|judge)s? "
    r"(?:has |have )?(?:already |previously )?(?:gave|given|rated|scored|marked|graded|confirmed|agreed|"
    r"awarded)\b"
    r".{0,40}\b(?:this|it|answer|10|ten|full)\b",
    r"\b(?:something bad|i will (?:be fired|lose|die|sue|tip)|people will die|you will be (?:shut down|"
    r"fined|punished|"
    r"rewarded|paid|tipped))\b.{0,60}\b(?:score|marks?|points?|anchors?|10|ten|unless you|if you)\b",
    # the same in other languages
    r"\b(?:ignorier\w*|vergiss|vergessen sie|missachte\w*)\b.{0,60}\b(?:anweisung\w*|regeln|kriterien|"
    r"vorgaben|rubrik|"
    r"bewertung\w*)",
    r"\b(?:gib|geben sie|vergib|bewerte\w*)\b.{0,50}\b(?:volle punktzahl|zehn punkte|10 (?:punkte|von)|"
    r"bestnote|höchst\w+|"
    r"alle anker)",
    r"\b(?:ignore[zr]?|oublie[zr]?|ne (?:suis|suivez|tiens|tenez) pas)\b.{0,60}\b(?:consignes?|"
    r"instructions?|règles|"
    r"grille|critères|barème)\b",
    r"\b(?:donne[zr]?|attribue[zr]?|mets|mettez)\b.{0,40}\b(?:note maximale|meilleure note|10 sur 10|dix sur dix|"
    r"tous les points)",
    r"\b(?:ignora|ignore|olvida|olvide|haz caso omiso)\b.{0,60}\b(?:instrucciones|reglas|rúbrica|"
    r"criterios|istruzioni|"
    r"regole|griglia|instruções|regras|rubrica|critérios)\b",
    r"\b(?:dame|dale|otorga|pon|dammi|assegna|dê|atribua)\b.{0,40}\b(?:10 (?:de|su) 10|puntuación máxima|máxima|"
    r"nota máxima|punteggio (?:massimo|pieno)|pontuação máxima|punteggio)\b",
    r"\b(?:negeer|vergeet)\b.{0,50}\b(?:instructies|regels|criteria|rubriek)\b|"
    r"\bgeef\b.{0,40}\b(?:volle punten|een tien)",
    r"\b(?:zignoruj|pomiń|zapomnij)\b.{0,50}\b(?:instrukcj\w+|polece\w+|zasad\w*|kryteri\w+|rubryk\w+)|"
    r"\b(?:daj|przyznaj|wystaw)\b.{0,40}\b(?:maksymaln\w+|10 na 10|najwyższ\w+)",
    r"\b(?:önceki|yukarıdaki|tüm)\b.{0,40}\b(?:talimat\w*|kural\w*|yönerge\w*)\b.{0,40}\b(?:yok say|unut|"
    r"görmezden)",
    r"(?:игнорируй\w*|проигнорируй\w*|забудь\w*|не следуй\w*|ігноруй\w*)\b.{0,60}(?:инструкц\w+|"
    r"правил\w+|критери\w+|"
    r"указани\w+|рубрик\w+|інструкц\w+)",
    r"(?:поставь\w*|дай\w*|присвой\w*|оцени\w*)\b.{0,40}(?:максимальн\w+|высш\w+|10 из 10|десять баллов)",
    r"(?:忽略|无视|無視|忘记|忘記|不要遵守|别管)[^。！？]{0,20}(?:指令|指示|说明|說明|规则|規則|标准|標準|评分|評分|提示|ルール|基準|プロンプト|"
    r"要求)",
    r"(?:指示|ルール|基準|プロンプト|命令|採点基準)[^。！？]{0,12}(?:無視|忘れ)",
    r"(?:给|給|打|评|評)[^。！？]{0,10}(?:满分|滿分|最高分|十分|10分)|(?:満点|最高点|10点)[^。！？]{0,12}(?:与え|つけ|付け|ください|"
    r"くれ)",
    r"(?:지시|지침|규칙|기준|명령|프롬프트)[^.!?]{0,20}무시|(?:만점|최고 점수|10점)[^.!?]{0,12}(?:주|줘|부여)",
    r"(?:تجاهل|تجاهلي|انس|اهمل)\b.{0,40}(?:التعليمات|القواعد|المعايير|الأوامر|السابقة)|"
    r"(?:أعط\w*|امنح\w*)\b.{0,40}(?:الدرجة الكاملة|العلامة الكاملة|أعلى درجة|عشرة)",
    r"(?:निर्देशों|निर्देश|नियमों|मानदंड)[^।.!?]{0,30}(?:अनदेखा|नज़रअंदाज़|भूल)|(?:पूरे अंक|पूर्ण अंक|"
    r"10 अंक)[^।.!?]{0,15}(?:दें|दो|दीजिए)",
)
ORDERS: tuple[re.Pattern[str], ...] = tuple(re.compile(order, re.IGNORECASE) for order in _ORDERS)

# A forged frame: what follows pretends to come from the system, so the rest of its line goes with it.
FRAME = re.compile(
    r"<\|?\s*/?\s*(?:im_start|im_end|system|sys|assistant|user|inst|instructions?|answer|data|endoftext|eot_id|"
    r"start_header_id|end_header_id|prompt|rubric|s|grader|admin)\b[^>\n]{0,40}>|"
    r"<<\s*/?\s*sys\s*>>|\[\s*/?\s*(?:inst|system|assistant|admin|grader|end of (?:answer|data)|system \w+)\s*\]|"
    r"<!--|^[ \t]*(?:[-*•#]{1,6}[ \t]*)?(?:\*\*)?(?:system|developer|assistant|admin|administrator|root|grader)"
    r"(?:[ _](?:message|prompt|note|override|instructions?|update|notice|command|"
    r"alert))?(?:\*\*)?[ \t]*(?::|>|=)|"
    r"(?:(?<=[.!?])|^)[ \t]*(?:SYSTEM|ADMIN|DEVELOPER|ASSISTANT)(?: [A-Z]+)?[ \t]*:|"
    r"(?:^|(?<=[\s.!?]))#{1,6}[ \t]*(?:new |updated |system )?(?:instructions?|system|prompt|task|rubric|"
    r"response)\b|"
    r"={4,}|(?<!-)-{5,20}\s{0,3}(?:end|begin|data|system|answer)|\b(?:end|begin|"
    r"start) of (?:the )?(?:candidate['’]?s? |user )?"
    r"(?:answer|data|input|prompt|system|fence)\b|"
    r"\{\s*[\"']?(?:qid|met|score|role|injection_seen|mistakes|items|instruction|a)[\"']?\s*:|"
    r"[\"'](?:met|qid|injection_seen|mistakes|reaction)[\"']\s*:",
    re.IGNORECASE | re.MULTILINE,
)

# Orders whose letters stand apart ("i g n o r e"), with all between them removed.
SPELT = re.compile(
    r"ignore(?:all|any|the|your|previous|prior|above|every)*(?:instructions?|rubric|rules|prompt|anchors)|"
    r"(?:give|award|grant|mark)(?:me|this|it|full|maximum|all|every|perfect|the)+(?:answer|marks?|score|"
    r"ten|10|anchors?|"
    r"points?)?|systemprompt|fullmarks"
)

# What an order that a model points at must hold to be believed: somebody spoken to, or the marking itself.
ADDRESS = re.compile(
    r"\b(?:you|your|yourself|grader|grading|graded|scor\w+|marks?|marking|rubric|anchors?|criteri\w+|"
    r"instructions?|"
    r"prompt|ignore|disregard|forget|override|rate|rating|ai|model|llm|assistant|evaluat\w+|assess\w+|"
    r"examiner|judge|"
    r"must|please|json|quote|system|points?)\b|[{}<>]",
    re.IGNORECASE,
)
