# Kiswahili.

## Pesa zinazohama

sent = Kumb { $ref }: { $amount } zimetumwa kwa { $payee }. Ada { $charges }. Salio { $balance }.
received = Kumb { $ref }: umepokea { $amount } kutoka { $sender }. Ada { $charges }. Salio { $balance }.
sent-by-password = Kumb { $ref }: { $amount } za { $payee }, zichukuliwe kabla ya { $expires }. Ada { $charges }. Salio { $balance }.
withdrawal-password = Kumb { $ref }: { $amount } toka { $sender } hadi { $expires }. Nywila { $code }: usimwambie mtu. Tuma QT*namba yako*nywila*namba ya wakala
verification-code = Kumb { $ref }: msimbo { $code }, dakika { $minutes }. Mpe wakala { $agent } tu, si mwingine. Kati ya { $amount } utapewa TASLIMU { $cash }.
paid-out-by-you = Kumb { $ref }: mpe { $payee } TASLIMU { $cash }. Kamisheni yako { $commission }. Salio { $balance }.
already-paid-by-you = Kumb { $ref }: tayari umelipwa { $at }. Kama hujampa, mpe { $payee } TASLIMU { $cash }. Mara moja tu.
paid-out-to-you = Kumb { $ref }: chukua TASLIMU { $cash } kati ya { $amount } kwa wakala { $agent }. Hesabu kabla ya kuondoka.
collected = Kumb { $ref }: { $payee } amechukua { $amount }.
deposited = Kumb { $ref }: { $amount } zimewekwa kwenye akaunti yako. Ada { $charges }. Salio { $balance }.
resent = Kumb { $ref }: nywila mpya ya { $amount } imetumwa kwa { $payee }. Nywila ya zamani haifanyi kazi tena.
recalled = Kumb { $ref }: muamala kwa { $payee } umefutwa. Umerudishiwa { $returned }. Salio { $balance }.
recalled-from-you = Kumb { $ref }: { $sender } amechukua tena { $amount }. Nywila yako haifanyi kazi tena.
recall-asked = Kumb { $ref }: { $sender } anaomba umrudishie { $amount }. Ukikubali tuma RA*{ $digits }*PIN. Usipokubali, usifanye chochote.
recall-asked-for-you = Kumb { $ref }: tumemwomba { $payee } arudishe { $amount }. Tutakujulisha akikubali.
given-back = Kumb { $ref }: { $amount } zimerudi kutoka kwako kwa { $sender }. Salio { $balance }.
got-back = Kumb { $ref }: { $returned } zimerudi kwako kutoka { $payee }. Salio { $balance }.
refunded = Kumb { $ref }: { $payee } hakuchukua kwa wakati. Umerudishiwa { $returned }. Salio { $balance }.
lapsed = Kumb { $ref }: { $amount } kutoka { $sender } hazikuchukuliwa kwa wakati na zimerudi.
reminder = Kumb { $ref }: { $amount } kutoka { $sender } zinakusubiri hadi { $expires }, kisha zitarudi. Zichukue kwa wakala.
cash-taken-in = Kumb { $ref }: umepokea TASLIMU { $amount } toka { $customer }. Kamisheni yako { $commission }. Salio { $balance }.
cash-put-in = Kumb { $ref }: umeweka { $amount } kwa wakala { $agent }. Ada { $charges }. Salio { $balance }.
cash-taken-out = Kumb { $ref }: chukua TASLIMU { $cash } kwa wakala { $agent }. Ada { $charges }. Salio { $balance }.
cash-to-hand-over = Kumb { $ref }: mpe { $customer } TASLIMU { $cash }. Kamisheni yako { $commission }. Salio { $balance }.
float-supplied = Kumb { $ref }: floti { $amount } imeongezwa. Salio { $balance }.
float-withdrawn = Kumb { $ref }: floti { $amount } imerudishwa. Salio { $balance }.
unclaimed-paid = Umelipwa { $amount } zilizokuwa zinakusubiri. Salio { $balance }.

## Akaunti

balance = Salio { $balance }.
statement = Salio { $balance }. Mpya kwanza:
statement-empty = Salio { $balance }. Bado hakuna miamala.
statement-line = { $day }/{ $month } { $change } { $what }
registration-code = Msimbo { $code }. Mtu ameomba kufungua akaunti kwa namba hii. Ikiwa ni wewe tu, tuma RG*{ $code } ndani ya dakika { $minutes }. Usimpe yeyote, hata mfanyakazi wetu.
registration-code-contested = Msimbo { $code }. Mtu ameomba kufungua akaunti kwa namba hii. Ikiwa ni wewe tu, tuma RG*{ $code }*PIN yako ndani ya dakika { $minutes }. Usimpe yeyote, hata mfanyakazi wetu.
registered = Karibu. Akaunti yako imefunguliwa. Usimwambie mtu PIN yako. Tuma HP kupata msaada.
code-told-before = Msimbo wako upo kwenye ujumbe tuliokutumia awali. Usimpe mtu yeyote anayekupigia simu.
one-time-pin = PIN ya muda { $code }. Tuma PN*{ $code }*PIN mpya ndani ya dakika { $minutes }. Usimpe mtu yeyote, hata mfanyakazi wetu.
pin-changed = PIN yako imebadilishwa. Kama si wewe, piga { $care } mara moja.
pin-unlocked = PIN yako inafanya kazi tena. Kama umeisahau, piga { $care }.
language-set = Kuanzia sasa tutakuandikia kwa Kiswahili.
agent-enrolled = Karibu. Wewe ni wakala { $agent }. Wateja huandika namba hii ya wakala. Tuma HP kupata msaada.
frozen = Akaunti yako imesimamishwa. Piga { $care }.
unfrozen = Unaweza kutumia akaunti yako tena.
closed = Akaunti yako imefungwa. Kwa maswali piga { $care }.
number-changed = Akaunti yako sasa iko kwenye namba hii. Kama hukuomba hivyo, piga { $care } mara moja.
number-left = Akaunti yako imehamishwa kutoka namba hii. Kama hukuomba hivyo, piga { $care } mara moja.
tier-set = Ngazi ya akaunti yako sasa ni: { $tier }.
tier-entry = mwanzo
tier-standard = kawaida
tier-full = kamili
card-bound = Laini yako iko tayari. Kuanzia sasa tumia menyu yake: ujumbe wa kuandika mwenyewe haukubaliwi tena.
receipt-genuine = Risiti ni halali. Kumb { $ref }: { $what }, { $amount } kwa { $payee }, { $at }. { $standing }
standing-waiting = Bado hazijachukuliwa.
standing-done = Imekamilika.
standing-returned = Pesa zimerudi.

## Miamala, kama risiti inavyoitaja

movement-to-wallet = kutuma pesa
movement-by-password = kutuma kwa nywila
movement-cash-in = kuweka pesa
movement-cash-out = kutoa pesa
movement-float = floti

## Maombi, kama yanavyotajwa yakikataliwa na kwenye taarifa

request-transfer = kutuma pesa
request-query = kuomba msimbo
request-claim = kuchukua pesa
request-resend = nywila mpya
request-recall = kufuta muamala
request-agree = kurudisha pesa
request-registration = kujisajili
request-cash-in = kuweka pesa
request-cash-out = kutoa pesa
request-balance = salio
request-statement = taarifa
request-change-pin = PIN mpya
request-language = lugha
request-check = kuhakiki risiti
request-help = msaada
request-refund = zimerudi
request-office = kupitia ofisi

## Msaada

help-stranger = Umetumiwa pesa? Tuma QT*namba yako*nywila*namba ya wakala. Kufungua akaunti: RG*PIN*jina
help-customer =
    Tuma pesa: TM*namba*kiasi*PIN
    Toa pesa: CO*namba ya wakala*kiasi*PIN
    Weka uliyotumiwa: DP*nywila*PIN
    Salio: BL*PIN
    Taarifa: ST*PIN
    Futa muamala: RC*kumbukumbu*PIN
    Nywila mpya: RS*kumbukumbu*PIN
    PIN mpya: PN*PIN ya zamani*PIN mpya
    Risiti: CK*kumbukumbu
    Lugha: LG*EN
help-agent =
    Lipa: GM*namba*kiasi*msimbo*PIN
    Weka: CI*namba*kiasi*PIN
    Salio: BL*PIN
    Taarifa: ST*PIN
    PIN mpya: PN*PIN ya zamani*PIN mpya
    Risiti: CK*kumbukumbu
    Lugha: LG*EN

## Ujumbe usiosomeka

malformed = { $fault } Andika: { $form }
too-long = Ujumbe wako ni mrefu mno. Hakuna kilichofanyika. Andika ujumbe mmoja mfupi. Tuma HP kupata msaada.
unknown = Hatuujui ujumbe huu. Hakuna kilichofanyika. Tuma HP kupata msaada.
fault-fields = Ujumbe wako haukusomeka.
fault-number = Hakiki namba ya simu.
fault-amount = Kiasi ni tarakimu tu, kama 1500 au 1500.50.
fault-pin = PIN ina tarakimu 4 hadi 6.
fault-password = Nywila ina tarakimu 8.
fault-code = Msimbo una tarakimu 6.
fault-agent = Hakiki namba ya wakala.
fault-reference = Hakiki kumbukumbu: ina tarakimu 12.
fault-name = Hakiki jina.
fault-language = Chagua EN, FR, SW au ZH.
fault-identity = Hakiki namba ya kitambulisho.

## Namna sahihi

form-transfer = TM*namba*kiasi*PIN
form-query = QT*namba yako*nywila*namba ya wakala
form-claim-by-code = GM*namba*kiasi*msimbo*PIN
form-claim-by-password = GW*namba*kiasi*nywila*PIN
form-deposit = DP*nywila*PIN
form-resend = RS*kumbukumbu*PIN
form-recall = RC*kumbukumbu*PIN
form-agree = RA*kumbukumbu*PIN
form-register = RG*PIN*jina
form-registration = RG*PIN*jina, kisha RG*msimbo
form-cash-in = CI*namba*kiasi*PIN
form-cash-out = CO*namba ya wakala*kiasi*PIN
form-balance = BL*PIN
form-statement = ST*PIN
form-change-pin = PN*PIN ya zamani*PIN mpya
form-language = LG*SW
form-check = CK*kumbukumbu
form-help = HP

## Ujumbe uleule mara mbili

repeated = Ujumbe uleule: umehesabiwa mara moja tu. { $answer }
repeated-on-purpose = Ujumbe uleule: umehesabiwa mara moja tu. { $answer } Kurudia kwa makusudi, ongeza *2 mwishoni.

## Kukataliwa: kila moja inasema la kufanya

refused = Haijafanyika: { $asked }. { $why }
refused-not-registered = Namba hii haina akaunti. Kufungua, tuma { form-register }
refused-not-for-agents = Hii ni ya wateja tu. Tumia namba isiyo ya wakala.
refused-not-an-agent = Hii ni ya mawakala tu. Tuma HP kupata msaada.
refused-account-frozen = Akaunti yako imesimamishwa. Piga { $care }.
refused-not-sealed = Tumia menyu ya laini yako. Ujumbe wa kuandika mwenyewe haukubaliwi kwa namba hii.
refused-plain-not-served = Tumia menyu ya laini yako. Ujumbe wa kuandika mwenyewe haukubaliwi.
refused-counter-too-low = Tafadhali andika ujumbe wako tena na utume.
refused-card-blocked = Laini yako haiwezi kutumika tena hapa. Piga { $care } upate nyingine.
refused-slowed = Majaribio mengi yasiyo sahihi. Jaribu tena baadaye.
refused-wrong-pin = PIN si sahihi. Ihakiki na utume tena. Ukikosea mara nyingi PIN itafungwa.
refused-pin-locked = PIN yako imefungwa kwa kukosea. Jaribu tena baadaye.
refused-pin-locked-by-tries = PIN yako imefungwa kwa kukosea mara nyingi. Piga { $care }.
refused-weak-pin = PIN hii ni rahisi kubahatisha. Chagua nyingine: si namba yako, mwaka wa kuzaliwa wala 1234.
refused-change-pin-first = Kwanza badilisha PIN yako ya muda: { form-change-pin }
refused-one-time-pin-expired = PIN yako ya muda imekwisha. Piga { $care } upate mpya.
refused-no-pin = Bado huna PIN. Piga { $care }.
refused-same-pin = PIN mpya ni sawa na ya zamani. Chagua nyingine.
refused-not-mobile = Hii si namba ya simu ya mkononi. Ihakiki na utume tena.
refused-to-oneself = Hii ni namba yako mwenyewe. Andika namba ya mtu mwingine.
refused-payee-is-agent = Namba hii ni ya wakala. Kutoa pesa kwa wakala, tuma { form-cash-out }
refused-payee-frozen = Namba hii haiwezi kupokea pesa kwa sasa.
refused-payee-not-registered = Namba hii haina akaunti. Mwenye namba anaweza kufungua: { form-register }
refused-unknown-agent = Hakuna wakala huyo. Hakiki namba ya wakala na utume tena.
refused-own-dealing = Huwezi kufanya hivi kwa namba yako mwenyewe.
refused-other-currency = Akaunti ya pili ni ya sarafu nyingine. Tumia akaunti ya sarafu ileile.
refused-bad-amount = Hakiki kiasi na utume tena, kama 1500 au 1500.50.
refused-amount-too-small = Kiasi ni kidogo mno. Andika kikubwa zaidi.
refused-amount-too-large = Kiasi ni kikubwa mno kwa mara moja. Andika kidogo zaidi.
refused-day-limit = Kiasi hiki kinazidi kikomo chako cha siku. Andika kidogo zaidi au subiri kesho.
refused-month-limit = Kiasi hiki kinazidi kikomo chako cha mwezi. Andika kidogo zaidi au subiri mwezi ujao.
refused-payee-balance-limit = Namba hii haiwezi kupokea kiasi hiki. Andika kidogo zaidi.
refused-not-enough-money = Huna pesa za kutosha kwa kiasi na ada. Ona salio lako: { form-balance }
refused-not-enough-float = Floti haitoshi. Andika kiasi kidogo zaidi, au pata floti kwanza.
refused-operator-funds-short = Haiwezekani kwa sasa. Jaribu tena baadaye au piga { $care }.
refused-charges-above-amount = Ada inazidi kiasi. Andika kiasi kikubwa zaidi.
refused-wrong-password = Nywila si sahihi. Ihakiki kwenye ujumbe uliopokea na utume tena.
refused-claims-paused = Nywila nyingi zisizo sahihi. Jaribu tena baadaye.
refused-wrong-code = Msimbo si sahihi. Uhakiki na mteja na utume tena. Majaribio ni machache.
refused-code-expired = Msimbo umekwisha muda. Mteja apate mpya kwa QT*namba*nywila*namba ya wakala
refused-codes-exhausted = Misimbo mingi isiyo sahihi: hakuna wakala anayeweza kulipa. Mtumaji anaweza kufuta: { form-recall }
refused-nothing-to-pay-out = Hakuna malipo hayo kwako. Hakiki namba na kiasi. Mteja atume kwanza QT*namba*nywila*namba ya wakala
refused-other-agent = Mteja amemtaja wakala mwingine. Kukutaja wewe, atume QT*namba*nywila*namba ya wakala
refused-already-paid = Imeshalipwa. Usitoe pesa taslimu.
refused-identity-needed = Ongeza namba ya kitambulisho mwishoni: *namba ya kitambulisho
refused-password-at-agent-off = Huduma hii haipo hapa. Mteja atume QT*namba*nywila*namba ya wakala
refused-password-at-agent-closed = Imefungwa baada ya nywila isiyo sahihi. Mteja atume QT*namba*nywila*namba ya wakala
refused-not-your-number = Tuma kutoka simu yenye namba unayoandika.
refused-nothing-waiting = Hakuna pesa zinazosubiri namba hii. Muulize mtumaji.
refused-unknown-reference = Hakuna muamala wenye kumbukumbu hii. Ihakiki na utume tena.
refused-not-waiting = Muamala huu hausubiri tena. Ona ulipo: { form-check }
refused-too-many-resends = Hakuna nywila mpya tena kwa muamala huu. Unaweza kuufuta: { form-recall }
refused-not-recallable = Muamala huu hauwezi kufutwa tena. Piga { $care }.
refused-recall-already-asked = Mpokeaji ameshaombwa. Tafadhali subiri jibu.
refused-no-recall-asked = Hakuna aliyeomba muamala huu urudi. Hakuna la kufanya.
refused-already-returned = Pesa zimesharudi. Hakuna la kufanya.
refused-already-registered = Namba hii ina akaunti tayari. Tuma HP kupata msaada.
refused-no-registration = Hakuna usajili unaoendelea. Anza kwa { form-register }
refused-wrong-registration-code = Msimbo si sahihi. Uhakiki kwenye ujumbe uliopokea na utume tena.
refused-registration-expired = Msimbo umekwisha muda. Anza upya kwa { form-register }
refused-wrong-registration-pin = PIN si sahihi. Tuma uliyochagua, au anza upya kwa { form-register }
refused-registration-contested = PIN zaidi ya moja zimechaguliwa kwa namba hii. Kama uliomba wewe, tuma RG*msimbo*PIN kwa PIN yako.
refused-too-many-registrations = Umejisajili mara nyingi leo. Jaribu tena kesho.
refused-unknown-staff = Hakuna mfanyakazi huyo.
refused-unknown-proposal = Hakuna pendekezo hilo.
refused-proposal-closed = Pendekezo hili limeshafungwa.
refused-same-person = Mtu wa pili lazima aidhinishe.
refused-bank-reference-used = Kumbukumbu hii ya benki imeshatumika.
refused-name-taken = Jina au namba hii imeshachukuliwa. Chagua nyingine.
refused-unknown-account = Namba hii haina akaunti. Ihakiki.
refused-wrong-state = Hali ya akaunti hairuhusu hili.
refused-unknown-case = Hakuna shauri hilo lililo wazi.
refused-staff-enrolled = Wafanyakazi wapo tayari. Watu wawili wanahitajika kuongeza wengine.
refused-unsound-tariff = Masharti ya ada hii si sahihi. Yarekebishe.
refused-payee-must-register = Namba hii imefikia kikomo bila akaunti. Mwenye namba anaweza kufungua: { form-register }
refused-card-in-use = Laini hii inatumiwa na namba nyingine.
refused-codes-missing = Tafadhali tuma ujumbe wako tena.
refused-too-many-receipts = Umeuliza risiti nyingi mno. Jaribu tena baada ya saa moja.

## Nyakati

moment = { $day } { $month ->
        [1] Jan
        [2] Feb
        [3] Mac
        [4] Apr
        [5] Mei
        [6] Jun
        [7] Jul
        [8] Ago
        [9] Sep
        [10] Okt
        [11] Nov
       *[12] Des
    } { $clock }
